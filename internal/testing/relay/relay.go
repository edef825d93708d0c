// Package relay stands between clients and a daemon, for tests of what happens in the middle of something: it passes so many
// frames of each new client, and keeps what comes then, the end of the client among it, until it is told to go on. To the client
// the daemon then stands still just there, as a real one may at any moment.
//
// Descriptors are not passed, so clients must not ask for rings.
package relay

import (
	"net"
	"sync"

	"kbus.example/kbus/internal/wire"
)

// Relay is one. Close it.
type Relay struct {
	// Held has a token for each client that is held up.
	Held chan struct{}

	listener *net.UnixListener
	daemon   string

	mu    sync.Mutex
	goOn  *sync.Cond
	holds int // frames that are passed of each client that comes; -1: all
	times int // that GoOn was called
	all   sync.WaitGroup
	open  map[net.Conn]bool // nil after Close
}

// New listens at one path, and passes what comes to the daemon at another. It holds up nothing yet.
func New(path, daemon string) (*Relay, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	r := &Relay{Held: make(chan struct{}, 100), listener: l, daemon: daemon, holds: -1, open: map[net.Conn]bool{}}
	r.goOn = sync.NewCond(&r.mu)
	r.all.Go(r.accept)
	return r, nil
}

// Hold has so many frames passed of each client that comes, and no more; -1: all.
func (r *Relay) Hold(frames int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holds = frames
}

// GoOn passes everything that was kept, in order, and all that comes.
func (r *Relay) GoOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holds = -1
	r.times++
	r.goOn.Broadcast()
}

// Close ends all connections and the relay.
func (r *Relay) Close() {
	r.listener.Close()
	r.mu.Lock()
	for c := range r.open {
		c.Close()
	}
	r.open = nil
	r.goOn.Broadcast()
	r.mu.Unlock()
	r.all.Wait()
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.AcceptUnix()
		if err != nil {
			return
		}
		daemon, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: r.daemon, Net: "unix"})
		if err != nil {
			client.Close()
			continue
		}
		if !r.keep(client, daemon) {
			return
		}
		r.mu.Lock()
		h := held{r.holds, r.times}
		r.mu.Unlock()
		r.all.Go(func() { r.toDaemon(client, daemon, h) })
		r.all.Go(func() { toClient(client, daemon) })
	}
}

func (r *Relay) keep(both ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range both {
		if r.open == nil {
			c.Close()
		} else {
			r.open[c] = true
		}
	}
	return r.open != nil
}

// held is a client that is passed so many frames, until GoOn is called once more.
type held struct{ passes, times int }

// toDaemon passes frames, and then the end.
func (r *Relay) toDaemon(client, daemon *net.UnixConn, h held) {
	defer daemon.CloseWrite()
	var b []byte
	for {
		_, _, n, err := wire.Split(b, 1<<30)
		if err != nil {
			return
		}
		if n == 0 {
			more := make([]byte, 4096)
			got, err := client.Read(more)
			if err != nil {
				r.await(&h)
				return
			}
			b = append(b, more[:got]...)
			continue
		}
		if !r.await(&h) {
			return
		}
		if _, err := daemon.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
}

// await waits until one thing more may be passed; false when the relay is closed.
func (r *Relay) await(h *held) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	holds := func() bool { return r.open != nil && h.passes == 0 && h.times == r.times }
	if holds() {
		r.Held <- struct{}{}
	}
	for holds() {
		r.goOn.Wait()
	}
	if h.times != r.times {
		h.passes = -1
	}
	if h.passes > 0 {
		h.passes--
	}
	return r.open != nil
}

func toClient(client, daemon *net.UnixConn) {
	b := make([]byte, 4096)
	for {
		n, err := daemon.Read(b)
		if err != nil {
			client.Close()
			return
		}
		if _, err = client.Write(b[:n]); err != nil {
			daemon.Close() // as a client that has closed would
			return
		}
	}
}
