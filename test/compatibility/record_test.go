package compatibility

import (
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus/internal/wire"
)

// How the recording was made: programs of 0.1.0 talk to a daemon of 0.1.0 through a recorder. It is done twice, and what differs from
// one time to the other (process ids, for instance) is left open.

var again = flag.Bool("record", false, "make the recording anew, from the history")

const recorded = "testdata/clients-0.1.0.txt"

func TestRecord(t *testing.T) {
	if !*again {
		t.Skip("the recording is there: -record makes it anew")
	}
	bin := old(t)
	first, second := session(t, bin), session(t, bin)
	if len(first) != len(second) {
		t.Fatalf("one time there are %d frames, and then %d", len(first), len(second))
	}
	var text strings.Builder
	text.WriteString("# Programs of 0.1.0 at a daemon of 0.1.0, without rings; recording_test.go has the form.\n" +
		"# 1 listens; 2 lists the Ksocks; 3 announces. 4 replies; 5 asks. 6 is asked by 7 and dies; 8 asks for what nobody answers.\n")
	for i, f := range first {
		f.payload = alike(t, f, second[i])
		switch {
		case f.asked:
		case f.header.Op == wire.OpHello: // ends with the server's name
			f.payload, f.open = f.payload[:32], true
		case f.header.Op == wire.OpList: // an entry grows before its last part; TestOldPrograms has it read
			f.payload, f.open = "", true
		}
		fmt.Fprintln(&text, f)
	}
	if err := os.WriteFile(recorded, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// alike is what two payloads share.
func alike(t *testing.T, a, b frame) string {
	t.Helper()
	if a.header != b.header || a.client != b.client || a.asked != b.asked {
		t.Fatalf("one time there is %v, and then %v", a, b)
	}
	out := []byte(a.payload)
	for i := 0; i+1 < len(out); i += 2 {
		if a.payload[i:i+2] != b.payload[i:i+2] {
			out[i], out[i+1] = '?', '?'
		}
	}
	return string(out)
}

// session is what the clients and the daemon say once.
func session(t *testing.T, bin string) []frame {
	t.Helper()
	r := listen(t, filepath.Join(serve(t, bin, "--rings", "off"), "bus0.sock"))
	start := func(words ...string) (wait func()) {
		c := command(bin, r.dir, words...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return func() { _ = c.Wait() } // one dies on purpose, and one is refused
	}
	listened := start("listen", "$.Lamp.*", "--count", "1")
	r.await(1, wire.OpNextWait)
	start("list")()
	start("send", "$.Lamp.Kitchen", "on")()
	listened()
	answered := start("answer", "$.Time", "--with", "noon", "--count", "1")
	r.await(4, wire.OpNextWait)
	start("ask", "$.Time", "what time is it?")()
	answered()
	died := start("answer", "$.Gone", "--exec", "kill -9 $PPID")
	r.await(6, wire.OpNextWait)
	start("ask", "$.Gone")()
	died()
	start("ask", "$.Nobody")()
	return r.end()
}

// recorder stands between clients and a daemon.
type recorder struct {
	dir    string
	mu     sync.Mutex
	more   sync.Cond
	frames []frame
	flows  sync.WaitGroup
}

func listen(t *testing.T, daemon string) *recorder {
	t.Helper()
	r := &recorder{dir: t.TempDir()}
	r.more.L = &r.mu
	l, err := net.Listen("unix", filepath.Join(r.dir, "bus0.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for client := 1; ; client++ {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", daemon)
			if err != nil {
				from.Close()
				return
			}
			r.flows.Add(2)
			go r.flow(client, true, to, from)
			go r.flow(client, false, from, to)
		}
	}()
	return r
}

// flow passes frames on, each once it has been written down.
func (r *recorder) flow(client int, asked bool, to, from net.Conn) {
	defer r.flows.Done()
	defer to.Close()
	for b := make([]byte, wire.HeaderBytes); ; {
		if _, err := io.ReadFull(from, b); err != nil {
			return
		}
		h := wire.ParseHeader(b)
		payload := make([]byte, h.PayloadBytes)
		if _, err := io.ReadFull(from, payload); err != nil {
			return
		}
		h.PayloadBytes = 0
		r.mu.Lock()
		r.frames = append(r.frames, frame{client: client, asked: asked, header: h, payload: hex.EncodeToString(payload)})
		r.more.Broadcast()
		r.mu.Unlock()
		if _, err := to.Write(append(b[:wire.HeaderBytes:wire.HeaderBytes], payload...)); err != nil {
			return
		}
	}
}

// await waits until a client has asked for something.
func (r *recorder) await(client int, op wire.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for _, f := range r.frames {
			if f.client == client && f.asked && f.header.Op == op {
				return
			}
		}
		r.more.Wait()
	}
}

// end waits until all have gone.
func (r *recorder) end() []frame {
	r.flows.Wait()
	return r.frames
}
