/*
 * The first serial port (16550 at 0x3F8, 115200 8N1), send only, no interrupts.
 */
#pragma once

#include "config/base.h"

/* Bytes that an empty port takes at once. */
#define UART_FIFO_LEN 16

/*
 * Find and set up the port.  Returns whether there is one; without it the other
 * functions do nothing.
 */
bool uart_init(void);

/*
 * Send one byte if the port takes it.
 *
 * wait     wait for the port, if need be; a port that did not get ready within
 *          UART_PATIENCE looks is not waited for again until it has shown life
 * Returns  whether the byte was taken
 */
bool uart_send(uint8_t byte, bool wait);

/* Wait, as patiently, until the last bit has left. */
void uart_finish(void);
