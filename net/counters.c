/*
 * Counters; see counters.h.  lwIP counts segments itself, as for SNMP.
 */
#include "net/counters.h"

#include "lwip/stats.h"

struct net_counters net_counters;

void net_read_counters(struct net_counters *out)
{
	*out = net_counters;
	out->segments_in = lwip_stats.mib2.tcpinsegs;
	out->segments_out = lwip_stats.mib2.tcpoutsegs;
	out->segments_again = lwip_stats.mib2.tcpretranssegs;
	out->segments_bad = lwip_stats.mib2.tcpinerrs;
	out->resets_out = lwip_stats.mib2.tcpoutrsts;
}
