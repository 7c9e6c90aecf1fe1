/*
 * Addresses; see address.h.
 *
 * lwIP calls on_status() for every change.  What is new is said once, and
 * written to the keep page.  `shown` holds what was said.
 */
#include "net/address.h"

#include "net/keep.h"
#include "net/net.h"
#include "net/settings.h"
#include "net/text.h"

#include "lwip/opt.h"
#include "net/hooks.h"

#include "lwip/dhcp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "lwip/priv/nd6_priv.h"

/*
 * Lifetimes of an autoconfigured address right after a crash, until a router
 * advertises the prefix again: RFC 4862, section 5.5.3 trusts two hours.
 */
#define KEPT_LIFE_S 7200

static const struct gate_info *gate;
static struct settings settings;
static struct dhcp dhcp;
static struct keep kept;        /* of before the crash; zero if there was none */
static struct keep shown;

/* ---- Telling ------------------------------------------------------------- */

static void say_addr4(const uint8_t addr[4])
{
	char buf[96];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, "net: ");
	text_add_ipv4(&t, addr);
	text_add(&t, settings.ipv4 == SETTINGS_STATIC ? " (static)" : " (dhcp)");
	text_add(&t, ", http://");
	text_add_ipv4(&t, addr);
	text_add(&t, "/\n");
	net_log(t.at, t.len);
}

static void say_addr6(const uint8_t addr[16])
{
	char buf[160];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, "net: ");
	text_add_ipv6(&t, addr);
	text_add(&t, settings.ipv6 == SETTINGS_STATIC ? " (static)" : " (slaac)");
	text_add(&t, ", http://[");
	text_add_ipv6(&t, addr);
	text_add(&t, "]/\n");
	net_log(t.at, t.len);
}

static const ip6_addr_t *known_router(void)
{
	for (size_t i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		if (default_router_list[i].neighbor_entry != NULL)
			return &default_router_list[i].neighbor_entry->
			    next_hop_address;
	}
	return NULL;
}

/* What the interface has now; link-local addresses are nobody's business. */
static struct keep collect(const struct netif *netif)
{
	struct keep now = { 0 };
	size_t count = 0;

	__builtin_memcpy(now.addr4, netif_ip4_addr(netif), 4);
	__builtin_memcpy(now.netmask4, netif_ip4_netmask(netif), 4);
	__builtin_memcpy(now.gateway4, netif_ip4_gw(netif), 4);
	for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES && count < KEEP_ADDRS6; i++) {
		if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
			__builtin_memcpy(now.addr6[count++],
			    netif_ip6_addr(netif, i)->addr, 16);
	}
	if (known_router() != NULL)
		__builtin_memcpy(now.router6, known_router()->addr, 16);
	return now;
}

static bool was_shown6(const uint8_t addr[16])
{
	for (size_t i = 0; i < KEEP_ADDRS6; i++) {
		if (__builtin_memcmp(shown.addr6[i], addr, 16) == 0)
			return true;
	}
	return false;
}

static void on_status(struct netif *netif)
{
	const struct keep now = collect(netif);

	if (__builtin_memcmp(&now, &shown, sizeof now) == 0)
		return;
	if (load_le32(now.addr4) != 0 &&
	    __builtin_memcmp(now.addr4, shown.addr4, 4) != 0)
		say_addr4(now.addr4);
	for (size_t i = 0; i < KEEP_ADDRS6; i++) {
		if (load_le64(now.addr6[i]) != 0 && !was_shown6(now.addr6[i]))
			say_addr6(now.addr6[i]);
	}
	shown = now;
	keep_write(gate->keep, &now);
}

bool net_read_address(struct net_peer *out)
{
	*out = (struct net_peer){ 0 };
	if (load_le32(shown.addr4) != 0) {
		__builtin_memcpy(out->addr, shown.addr4, 4);
		return true;
	}
	for (size_t i = 0; i < KEEP_ADDRS6; i++) {
		if (load_le64(shown.addr6[i]) == 0)
			continue;
		__builtin_memcpy(out->addr, shown.addr6[i], 16);
		out->is_ipv6 = true;
		return true;
	}
	return false;
}

/* ---- Setting ------------------------------------------------------------- */

static ip4_addr_t ip4_of(const uint8_t bytes[4])
{
	return (ip4_addr_t){ .addr = load_le32(bytes) };
}

static ip6_addr_t ip6_of(const uint8_t bytes[16])
{
	ip6_addr_t addr = { { 0 } };

	__builtin_memcpy(addr.addr, bytes, 16);
	return addr;
}

static void set_ipv4(struct netif *netif, const uint8_t addr[4],
    const uint8_t netmask[4], const uint8_t gateway[4])
{
	const ip4_addr_t a = ip4_of(addr), m = ip4_of(netmask), g = ip4_of(gateway);

	netif_set_addr(netif, &a, &m, &g);
}

/* Slot `index` of the interface; with life 0 the address has no end. */
static void set_ipv6(struct netif *netif, s8_t index, const uint8_t bytes[16],
    u8_t state, u32_t life)
{
	const ip6_addr_t addr = ip6_of(bytes);

	netif_ip6_addr_set(netif, index, &addr);
	netif_ip6_addr_set_valid_life(netif, index, life);
	netif_ip6_addr_set_pref_life(netif, index, life);
	netif_ip6_addr_set_state(netif, index, state);
}

/*
 * lwIP asks for the next hop of a destination that is on no link it knows of.
 * After a crash it knows none, until a router has advertised itself again.
 */
const ip6_addr_t *net_next_hop6(const ip6_addr_t *destination)
{
	static ip6_addr_t router;

	if (settings.ipv6 == SETTINGS_STATIC)
		router = ip6_of(settings.gateway6);
	else if (known_router() != NULL)
		return NULL;
	else
		router = ip6_of(kept.router6);

	for (size_t i = 0; i < KEEP_ADDRS6; i++) {
		if (load_le64(kept.addr6[i]) != 0 &&
		    load_le64(kept.addr6[i]) == load_le64(destination->addr))
			return destination;
	}
	return ip6_addr_isany_val(router) ? NULL : &router;
}

/*
 * Addresses of before the crash, without asking whether anyone took them
 * meanwhile.
 */
static void set_kept(struct netif *netif)
{
	if (settings.ipv4 == SETTINGS_AUTO && load_le32(kept.addr4) != 0)
		set_ipv4(netif, kept.addr4, kept.netmask4, kept.gateway4);
	if (settings.ipv6 == SETTINGS_OFF)
		return;
	netif_ip6_addr_set_state(netif, 0, IP6_ADDR_PREFERRED);
	for (s8_t i = 0; settings.ipv6 == SETTINGS_AUTO && i < KEEP_ADDRS6; i++) {
		if (load_le64(kept.addr6[i]) != 0)
			set_ipv6(netif, (s8_t)(i + 1), kept.addr6[i],
			    IP6_ADDR_PREFERRED, KEPT_LIFE_S);
	}
}

static const char *start_ipv4(struct netif *netif)
{
	if (settings.ipv4 == SETTINGS_STATIC)
		set_ipv4(netif, settings.addr4, settings.netmask4,
		    settings.gateway4);
	if (settings.ipv4 == SETTINGS_AUTO) {
		dhcp_set_struct(netif, &dhcp);
		if (dhcp_start(netif) != ERR_OK)
			return "DHCP needs an MTU of at least 576.";
	}
	return NULL;
}

static void start_ipv6(struct netif *netif, bool restarted)
{
	if (settings.ipv6 == SETTINGS_OFF)
		return;
	netif_create_ip6_linklocal_address(netif, 1);
	netif_set_ip6_autoconfig_enabled(netif, settings.ipv6 == SETTINGS_AUTO);
	if (settings.ipv6 == SETTINGS_STATIC) {
		set_ipv6(netif, 1, settings.addr6,
		    restarted ? IP6_ADDR_PREFERRED : IP6_ADDR_TENTATIVE, 0);
	}
}

const char *address_start(const struct gate_info *info, struct netif *netif)
{
	const char *wrong;
	bool restarted;

	gate = info;
	wrong = settings_parse(info->cmdline, info->cmdline_len, &settings);
	if (wrong != NULL)
		return wrong;
	if (settings.ipv4 == SETTINGS_OFF && settings.ipv6 == SETTINGS_OFF)
		return "ip=off and ip6=off leave no way to reach this server.";

	netif_set_status_callback(netif, on_status);
	netif_set_up(netif);
	restarted = info->restarts > 0 && keep_read(info->keep, &kept);
	start_ipv6(netif, restarted);
	if (restarted)
		set_kept(netif);
	return start_ipv4(netif);
}
