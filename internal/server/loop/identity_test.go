package loop

import "testing"

// What /proc says of a process on machines of all kinds: with one hierarchy of control groups, with systemd's own beside it or in place of
// it, and with one of that name that nobody uses.
func TestControlGroups(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0::/system.slice/door.service\n", "/system.slice/door.service"},
		{"9:name=systemd:/\n4:memory:/\n0::/system.slice/door.service\n", "/system.slice/door.service"},
		{"0::/system.slice/door.service\n9:name=systemd:/\n", "/system.slice/door.service"},
		{"4:memory:/system.slice\n1:name=systemd:/system.slice/door.service\n0::/\n", "/system.slice/door.service"},
		{"0::/\n1:name=systemd:/system.slice/door.service\n", "/system.slice/door.service"},
		{"1:name=systemd:/system.slice/door.service\n0::/system.slice/door.service\n", "/system.slice/door.service"},
		{"1:name=systemd:/system.slice/a:b.service", "/system.slice/a:b.service"},
		{"0::/\n", "/"},
		{"0::/../door.service\n", ""},
		{"0::/..\n", ""},
		{"0::/..door.service\n", "/..door.service"},
		{"4:memory:/system.slice/door.service\n", ""},
		{"", ""},
		{"nonsense\n0\n", ""},
	} {
		if got := cgroupIn([]byte(c.text)); got != c.want {
			t.Errorf("%q: %q, not %q", c.text, got, c.want)
		}
	}
}
