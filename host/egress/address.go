package egress

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// errAddress is the error of an address that the policy forbids. It doesn't say which: where a name leads
// inside the operator's network is not for a plugin to learn.
var errAddress = errors.New("the host's address is private or reserved")

// addressGuard looks at every address before a socket connects to it. It stands below DNS, so a name that
// answers with another address the second time gains nothing.
type addressGuard struct{ allowPrivate bool }

// control is a net.Dialer.ControlContext.
func (g addressGuard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !g.allows(ap.Addr()) {
		return errAddress
	}
	return nil
}

// allows reports whether a connection to the address may be made. An IPv6 address that carries an IPv4 one is
// judged by what it carries.
func (g addressGuard) allows(addr netip.Addr) bool {
	addr = addr.WithZone("")
	places := embedded(addr)
	if places == nil {
		places = []netip.Addr{addr}
	}
	for _, place := range places {
		if never(place) || !g.allowPrivate && !public(place) {
			return false
		}
	}
	return true
}

// embedded returns the IPv4 addresses where traffic to an IPv6 address may come out; nil if there are none.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	v4 := func(at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
	switch {
	case addr.Is4In6(), // ::ffff:0:0/96, mapped
		within(addr, prefixes("64:ff9b::/96")): // NAT64
		return []netip.Addr{v4(12)}
	case within(addr, prefixes("2002::/16")): // 6to4
		return []netip.Addr{v4(2)}
	case within(addr, prefixes("2001::/32")): // Teredo: the server, and the client with its bits turned
		client := v4(12).As4()
		for i := range client {
			client[i] = ^client[i]
		}
		return []netip.Addr{v4(4), netip.AddrFrom4(client)}
	}
	return nil
}

// public reports whether the address is on the public internet, by IANA's special-purpose registries.
func public(addr netip.Addr) bool {
	if addr.Is4() {
		return !within(addr, prefixes(
			"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
			"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
			"198.51.100.0/24", "203.0.113.0/24",
		))
	}
	// IANA has given out 2000::/3 alone; loopback, fc00::/7, fe80::/10 and the rest lie outside.
	return within(addr, prefixes("2000::/3")) &&
		!within(addr, prefixes("2001::/23", "2001:db8::/32", "3fff::/20"))
}

// never reports an address that no grant opens: those that are no single host, the tunnels that end at an
// address of the site's choice (ISATAP), and the clouds' metadata services, which hand out the machine's own
// credentials.
func never(addr netip.Addr) bool {
	if addr.Is6() {
		if b := addr.As16(); b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe {
			return true
		}
	}
	return within(addr, prefixes(
		"224.0.0.0/4", "240.0.0.0/4", "ff00::/8", // multicast, reserved with broadcast
		"169.254.169.254/32", "169.254.170.0/23", "fd00:ec2::/32", // AWS, Google Cloud, Azure and others
		"168.63.129.16/32",   // Azure's host, though the address looks public
		"100.100.100.200/32", // Alibaba Cloud
		"192.0.0.192/32",     // Oracle Cloud
	))
}

func within(addr netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}
