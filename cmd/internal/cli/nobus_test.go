package cli

import "testing"

// Who is not root and has no directory of their own needs one for both: the daemon would refuse to start.
func TestStarting(t *testing.T) {
	for _, c := range []struct {
		dir     string
		bus     uint32
		nowhere bool
		want    string
	}{
		{"", 0, false, "kbusd"},
		{"", 5, false, "kbusd --buses 6"},
		{"/d", 0, true, "kbusd --dir /d"},
		{"/d", 255, false, "kbusd --dir /d --buses 256"},
		{"", 0, true, "KBUS_DIR=/tmp/kbus kbusd, and set that here too"},
		{"", 1, true, "KBUS_DIR=/tmp/kbus kbusd --buses 2, and set that here too"},
	} {
		if got := starting(c.dir, c.bus, c.nowhere); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
