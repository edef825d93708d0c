package loop

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// parcel is a descriptor to send; closed waits until every copy of it is.
type parcel struct{ near, far *os.File }

func newParcel(t *testing.T) parcel {
	near, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return parcel{near, far}
}

func (k parcel) sendBy(c *rawclient.Client, bytes []byte) error {
	_, _, err := c.WriteMsgUnix(bytes, unix.UnixRights(int(k.far.Fd())), nil)
	return err
}

func (k parcel) closed(t *testing.T) {
	t.Helper()
	k.far.Close()
	if n, err := k.near.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("instead of its end the pipe gives %d bytes, %v", n, err)
	}
}

var reset = frame(wire.OpReset, 2, 0, nil)

// A descriptor along with a frame is closed, and the frame performed as any other.
func TestDescriptorsAreClosed(t *testing.T) {
	b := start(t, nil)
	c := b.open()
	for range 2 * mostForeign {
		k := newParcel(t)
		if err := k.sendBy(c, reset); err != nil {
			t.Fatal(err)
		}
		c.Next()
		k.closed(t)
	}
}

// The loop leaves the closing to others, of what has been received as of what has not. A client that sends more than can
// be closed is hung up on, and the log says why. Another that sends none notices nothing.
func TestDescriptorsEndTheConnection(t *testing.T) {
	b := start(t, nil)
	by := b.open()
	for name, open := range map[string]func() *rawclient.Client{"socket": b.open, "rings": b.openRings} {
		t.Run(name, func(t *testing.T) {
			c := open()
			all := make([]parcel, mostForeign+2)
			closers.mu.Lock()
			closers.running += mostClosers // all are busy
			closers.mu.Unlock()
			b.on(func(*Loop) {
				for i := range all {
					all[i] = newParcel(t)
					if err := all[i].sendBy(c, reset); err != nil {
						t.Error(err)
					}
				}
			})
			c.Drain()
			by.Must(wire.OpReset, 0, nil)
			closers.mu.Lock()
			closers.running -= mostClosers
			closers.start()
			closers.mu.Unlock()
			for _, k := range all {
				k.closed(t)
			}
			b.buried()
		})
	}
	b.Await("connection ended", "file descriptors", "pid=", "uid=")
}

// Descriptors are closed by several goroutines at once, so that one that takes long holds up no other, and by so many at
// most.
func TestClosersAreSeveral(t *testing.T) {
	var c closing
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	for range 2 * mostClosers {
		k := newParcel(t)
		fd, err := unix.Dup(int(k.far.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		c.close([]int{fd}, func() {
			begun <- struct{}{}
			<-end
			done <- struct{}{}
		})
	}
	for range mostClosers {
		<-begun
	}
	c.mu.Lock()
	if c.running != mostClosers || len(c.waiting) != mostClosers {
		t.Errorf("%d are closing, and %d descriptors wait", c.running, len(c.waiting))
	}
	c.mu.Unlock()
	close(end)
	for range mostClosers {
		<-done
		<-begun
	}
	for range mostClosers {
		<-done
	}
}
