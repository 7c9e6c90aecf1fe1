/* links: @server_net tests/net/stack_cases.c tests/net/stack_help.c
 * tests/net/stack_send.c tests/net/stack_life.c tests/net/stack_records.c
 * tests/net/stack_holds.c tests/net/client.c tests/net/neighbours.c
 * tests/net/wire.c tests/net/tiny_app.c kernel/gate_check.c */
/*
 * The whole of net/ with lwIP, on a NIC that does all it can for us: checksums
 * and segmentation.
 */
#include "kernel/gate.h"
#include "tests/net/stack_cases.h"

int main(void)
{
	return run_stack_cases(GATE_NIC_CSUM_TX | GATE_NIC_CSUM_RX |
	    GATE_NIC_TSO4 | GATE_NIC_TSO6, false);
}
