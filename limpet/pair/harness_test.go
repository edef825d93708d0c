package pair_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/pair"
)

// patience is for what never takes that long.
const patience = 30 * time.Second

// record is a log that can be waited on.
type record struct {
	t     *testing.T
	who   string
	mu    sync.Mutex
	more  sync.Cond
	lines []string
	read  int
}

func newRecord(t *testing.T, who string) *record {
	r := &record{t: t, who: who}
	r.more.L = &r.mu
	t.Cleanup(func() {
		if t.Failed() {
			for _, line := range r.lines {
				t.Logf("%s: %s", who, line)
			}
		}
	})
	return r
}

func (r *record) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (r *record) WithAttrs([]slog.Attr) slog.Handler           { return r }
func (r *record) WithGroup(string) slog.Handler                { return r }

func (r *record) Handle(_ context.Context, l slog.Record) error {
	line := l.Message
	l.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	r.more.Broadcast()
	return nil
}

// await waits for a line with all of these words, behind those that were waited for before, and gives it.
func (r *record) await(words ...string) string {
	r.t.Helper()
	late := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.read = -1
		r.more.Broadcast()
	})
	defer late.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for ; r.read >= 0 && r.read < len(r.lines); r.read++ {
			if line := r.lines[r.read]; hasAll(line, words) {
				r.read++
				return line
			}
		}
		if r.read < 0 {
			r.t.Fatalf("%s never says %q", r.who, words)
		}
		r.more.Wait()
	}
}

func hasAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// limpet is one end of a pair that runs.
type limpet struct {
	t    *testing.T
	log  *record
	end  context.CancelFunc
	over chan error
}

func options(bus *kbus.Bus, id uint32, address string) pair.Options {
	return pair.Options{
		Address: address, ID: id, Name: pair.DefaultName, Limits: pair.Limits{MaxMessages: 100, Longest: time.Millisecond},
		Open: func(context.Context) (*kbus.Ksock, error) { return bus.Open(context.Background()) },
	}
}

func run(t *testing.T, o pair.Options) *limpet {
	t.Helper()
	l := &limpet{t: t, log: newRecord(t, fmt.Sprint("Limpet ", o.ID)), over: make(chan error, 1)}
	o.Log = slog.New(l.log)
	var ctx context.Context
	ctx, l.end = context.WithCancel(context.Background())
	over := l.over
	go func() { over <- pair.Run(ctx, o) }()
	t.Cleanup(func() { l.stop() })
	return l
}

// stop ends it in order, and gives its error. A second time it does nothing.
func (l *limpet) stop() error {
	if l.over == nil {
		return nil
	}
	l.end()
	return l.ended()
}

// ended waits until it has ended by itself.
func (l *limpet) ended() error {
	l.t.Helper()
	over := l.over
	l.over = nil
	select {
	case err := <-over:
		return err
	case <-time.After(patience):
		l.t.Fatal("a Limpet does not end")
		return nil
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newBus(t *testing.T) *kbus.Bus {
	b := kbus.NewBus()
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t *testing.T, b *kbus.Bus) *kbus.Ksock {
	t.Helper()
	k, err := b.Open(t.Context())
	must(t, err)
	t.Cleanup(func() { runtime.KeepAlive(k) }) // one that is dropped is closed
	return k
}

func socketIn(t *testing.T) string { return filepath.Join(t.TempDir(), "limpet") }

// certificates makes those of an authority of its own for the ids.
func certificates(t *testing.T, ids ...uint32) string {
	t.Helper()
	dir := t.TempDir()
	_, err := pair.MakeCertificates(dir, ids)
	must(t, err)
	return dir
}

// next waits for a message that is what is wanted.
func next(t *testing.T, k *kbus.Ksock, wanted func(*kbus.Message) bool) *kbus.Message {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), patience)
	defer done()
	for m, err := range k.Messages(ctx) {
		must(t, err)
		if wanted(m) {
			return m
		}
	}
	return nil
}

// watchRepliers makes the Ksock hear of Repliers.
func watchRepliers(t *testing.T, k *kbus.Ksock) {
	t.Helper()
	must(t, k.Bind(t.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	_, err := k.Settings().SetReportReplierBinds(t.Context(), true)
	must(t, err)
}

func binds(name string, bind bool) func(*kbus.Message) bool {
	return func(m *kbus.Message) bool {
		e, ok := kbus.ParseBindEvent(m.Data)
		return m.Name == kbus.NameReplierBindEvent && ok && e.Name == name && e.Bind == bind
	}
}

// answering has a Ksock answer everything until the test ends.
func answering(t *testing.T, k *kbus.Ksock, name, with string) {
	t.Helper()
	must(t, k.Bind(t.Context(), name, kbus.Replier))
	var serving sync.WaitGroup
	serving.Go(func() {
		err := k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply([]byte(with))
		})
		if !errors.Is(err, kbus.ErrClosed) && !errors.Is(err, kbus.ErrBusGone) {
			t.Errorf("%s is answered no more: %v", name, err)
		}
	})
	t.Cleanup(func() {
		_ = k.Close()
		serving.Wait()
	})
}
