/*
 * Crash reports: what a person needs to find the line, on the console.  Code
 * addresses appear as "server+0x12ab" or "kernel+0x12ab", offsets into
 * build/server.elf and build/kernel.elf: `make symbolize` turns them into names.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate_check.h"
#include "kernel/trap.h"

/* Where the two images and the server's stack are; call before map_seal(). */
void report_set_images(uint64_t kernel_va, uint64_t kernel_len,
    uint64_t server_va, uint64_t server_len, uint64_t stack_va,
    uint64_t stack_len);

/* Say what happened in ring 3; cause overrides the exception's name if not NULL. */
void report_server(const struct trap_frame *frame, const char *cause);

/* An exception in ring 0: report and reboot. */
NORETURN void report_kernel_trap(const struct trap_frame *frame);
