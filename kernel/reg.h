/*
 * Registers of devices in memory: one access of exactly the given width each,
 * in program order.  Functions, not inline: a test puts a device behind them.
 */
#pragma once

#include "config/base.h"

uint8_t reg_read8(const volatile void *at);
uint16_t reg_read16(const volatile void *at);
uint32_t reg_read32(const volatile void *at);
void reg_write8(volatile void *at, uint8_t v);
void reg_write16(volatile void *at, uint16_t v);
void reg_write32(volatile void *at, uint32_t v);
