package egress

import (
	"net/netip"
	"testing"
)

func TestAddressGuard(t *testing.T) {
	t.Parallel()
	const (
		public = "public" // allowed to everybody
		grant  = "grant"  // needs AllowPrivate
		closed = "closed" // allowed to nobody
	)
	cases := map[string][]string{
		public: {
			"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1",
			"223.255.255.254", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
			"2002:808:808::1",
			"2001:0:808:808:0:0:f7f7:f7f7", // Teredo: server 8.8.8.8, client 8.8.8.8
		},
		grant: {
			"127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
			"169.254.1.1", "100.64.0.1", "100.127.255.255", "0.0.0.0", "0.1.2.3", "192.0.0.8", "192.0.2.1",
			"198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
			"::", "::1", "::127.0.0.1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1",
			"100::1", "2001:db8::1", "3fff::1", "2001:2::1", "5f00::1", "4000::1", "64:ff9b:1::8.8.8.8",
			"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:0", "64:ff9b::127.0.0.1", "64:ff9b::192.168.0.1",
			"2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:1::1",
			"2001:0:7f00:1:0:0:f7f7:f7f7",  // Teredo by a server at 127.0.0.1
			"2001:0:808:808:0:0:80ff:fffe", // Teredo to a client at 127.0.0.1
		},
		closed: {
			"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
			"169.254.170.2", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192",
			"224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1", "::ffff:224.0.0.1",
			"2a00::5efe:7f00:1", "fe80::200:5efe:a00:1",
		},
	}
	for class, texts := range cases {
		for _, text := range texts {
			addr := netip.MustParseAddr(text)
			if got := (addressGuard{}).allows(addr); got != (class == public) {
				t.Errorf("%s without the grant: allowed is %t", text, got)
			}
			if got := (addressGuard{allowPrivate: true}).allows(addr); got != (class != closed) {
				t.Errorf("%s with the grant: allowed is %t", text, got)
			}
		}
	}
}

func TestAddressGuardFailsClosed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:80", "127.0.0.1", "[::1", "/run/socket"} {
		if (addressGuard{allowPrivate: true}).control(t.Context(), "tcp", address, nil) == nil {
			t.Errorf("%q: allowed", address)
		}
	}
}
