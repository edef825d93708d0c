package programs

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Ready is a socket in which a program says, as it does to systemd, that it is ready. So a test waits for just that.
type Ready struct{ notes *net.UnixConn }

var readies atomic.Uint32

// NewReady makes one in a directory, under a name that no other has, for several may be there. It must be closed.
func NewReady(dir string) (*Ready, error) {
	name := filepath.Join(dir, fmt.Sprintf("ready%d", readies.Add(1)))
	notes, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &Ready{notes}, nil
}

// Variable is what the program must have in its environment.
func (r *Ready) Variable() string { return "NOTIFY_SOCKET=" + r.notes.LocalAddr().String() }

// Await returns nil when the program is ready, and an error when the socket is closed before: by the test, when the program
// has ended. A limit, unless 0, ends a hang.
func (r *Ready) Await(limit time.Duration) error {
	if limit != 0 {
		_ = r.notes.SetReadDeadline(time.Now().Add(limit)) // cannot fail
	}
	for note := make([]byte, 1000); ; {
		n, err := r.notes.Read(note)
		if err != nil {
			return fmt.Errorf("the program does not start: %w", err)
		}
		if strings.Contains("\n"+string(note[:n]), "\nREADY=1") {
			return nil
		}
	}
}

// Close ends a wait, and takes the socket away.
func (r *Ready) Close() {
	name := r.notes.LocalAddr().String()
	r.notes.Close()
	os.Remove(name)
}
