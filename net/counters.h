/*
 * What the files of net/ count; the layers above read it by net_read_counters().
 */
#pragma once

#include "net/net.h"

extern struct net_counters net_counters;
