package loop

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The groups of a client are those that it had at its connect.
func TestPeerGroups(t *testing.T) {
	want, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, _ := conn.SyscallConn()
	raw.Control(func(fd uintptr) {
		for what, got := range map[string][]uint32{"socket": peerGroups(int(fd)), "/proc": groupsOf(uint32(os.Getpid()))} {
			for _, gid := range want {
				if !slices.Contains(got, uint32(gid)) {
					t.Errorf("%s: %v, and not %d", what, got, gid)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s: %v; want %v", what, got, want)
			}
		}
	})
}
