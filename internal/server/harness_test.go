package server

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kbus/internal/server/rawclient"
	"kbus/message"
)

// journal is a log that tests can wait on.
type journal struct {
	mu    sync.Mutex
	more  sync.Cond
	lines []string
}

func newJournal() *journal {
	j := &journal{}
	j.more.L = &j.mu
	return j
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	j.more.Broadcast()
	return len(line), nil
}

// wait returns the first line that has all the words, when it comes.
func (j *journal) wait(words ...string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		for _, line := range j.lines {
			if hasAll(line, words) {
				return line
			}
		}
		j.more.Wait()
	}
}

// count counts the lines so far that have all the words.
func (j *journal) count(words ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if hasAll(line, words) {
			n++
		}
	}
	return n
}

func hasAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// bench is a running server with its log.
type bench struct {
	*Server
	*journal
	t *testing.T
}

// start runs a server in a directory of its own; change, if not nil, adjusts the configuration.
func start(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	config := Default()
	config.Dir = t.TempDir()
	if change != nil {
		change(&config)
	}
	j := newJournal()
	s, err := Start(config, slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop(0)
		s.Wait()
	})
	return &bench{s, j, t}
}

func (b *bench) path(bus int) string { return filepath.Join(b.Dir(), SocketName(bus)) }

// open is a Ksock on bus 0.
func (b *bench) open() *rawclient.Client {
	b.t.Helper()
	return rawclient.Open(b.t, b.path(0))
}

// dial is a connection to bus 0 that has said nothing yet.
func (b *bench) dial() *rawclient.Client {
	b.t.Helper()
	return rawclient.Dial(b.t, b.path(0))
}

// on does something on the loop of a bus and returns when it is done.
func (b *bench) on(bus int, do func(*loop)) {
	l, done := b.all()[bus], make(chan struct{})
	l.post(func() { do(l); close(done) })
	<-done
}

func announcement(name, data string) []byte {
	return rawclient.Message(message.Header{}, name, []byte(data))
}

func request(name, data string) []byte {
	return rawclient.Message(message.Header{Flags: message.WantAReply}, name, []byte(data))
}

func replyTo(m message.Message, data string) []byte {
	return rawclient.Message(message.Header{InReplyTo: m.ID, To: m.From}, m.Name, []byte(data))
}
