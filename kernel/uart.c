/*
 * Serial port, send only: see uart.h.
 * Registers: PC16550D data sheet, section 8.
 *
 *   credit   bytes the FIFO surely takes without asking: 16 once it was seen
 *            empty, one less for each byte sent
 *   stalled  the last wait was in vain: ask once, do not wait
 */
#include "kernel/io.h"
#include "kernel/uart.h"

#define UART_PORT 0x3F8
#define UART_DATA (UART_PORT + 0)       /* divisor's low byte with DLAB */
#define UART_INTERRUPTS (UART_PORT + 1) /* divisor's high byte with DLAB */
#define UART_FIFO (UART_PORT + 2)
#define UART_LINE (UART_PORT + 3)
#define UART_MODEM (UART_PORT + 4)
#define UART_STATUS (UART_PORT + 5)
#define UART_SCRATCH (UART_PORT + 7)

#define LINE_8N1 0x03
#define LINE_DLAB 0x80
#define FIFO_ON 0x03                    /* and drop what was received */
#define FIFO_IS_ON 0xC0                 /* when read */
#define MODEM_DTR_RTS 0x03
#define STATUS_FIFO_EMPTY 0x20
#define STATUS_ALL_SENT 0x40

/*
 * Looks at the status before a port counts as stalled: at least 0.1 s on real
 * hardware (1 us a look), where 16 bytes take 1.4 ms.
 */
#define UART_PATIENCE 100000

static bool present;
static bool stalled;
static unsigned fifo_len;
static unsigned credit;

bool uart_init(void)
{
	present = false;
	stalled = false;
	credit = 0;

	/* The scratch register keeps what is written; an empty bus does not. */
	io_out8(UART_SCRATCH, 0x5A);
	if (io_in8(UART_SCRATCH) != 0x5A)
		return false;
	io_out8(UART_SCRATCH, 0xA5);
	if (io_in8(UART_SCRATCH) != 0xA5)
		return false;

	io_out8(UART_INTERRUPTS, 0);
	io_out8(UART_LINE, LINE_DLAB);
	io_out8(UART_DATA, 1);          /* 115200 / 1 */
	io_out8(UART_INTERRUPTS, 0);
	io_out8(UART_LINE, LINE_8N1);
	io_out8(UART_FIFO, FIFO_ON);
	io_out8(UART_MODEM, MODEM_DTR_RTS);
	fifo_len = (io_in8(UART_FIFO) & FIFO_IS_ON) == FIFO_IS_ON ?
	    UART_FIFO_LEN : 1;
	present = true;
	return true;
}

/* Wait for any of the bits; at most one look at a port that has stalled. */
static bool wait_status(uint8_t bits)
{
	const unsigned looks = stalled ? 1 : UART_PATIENCE;

	for (unsigned i = 0; i < looks; i++) {
		if (io_in8(UART_STATUS) & bits) {
			stalled = false;
			return true;
		}
		cpu_pause();
	}
	stalled = true;
	return false;
}

bool uart_send(uint8_t byte, bool wait)
{
	if (!present)
		return false;
	if (credit == 0) {
		if (wait ? !wait_status(STATUS_FIFO_EMPTY) :
		    !(io_in8(UART_STATUS) & STATUS_FIFO_EMPTY))
			return false;
		stalled = false;
		credit = fifo_len;
	}
	io_out8(UART_DATA, byte);
	credit--;
	return true;
}

void uart_finish(void)
{
	if (present)
		(void)wait_status(STATUS_ALL_SENT);
}
