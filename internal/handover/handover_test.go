package handover

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/form"
)

// both gives the two ends of a hand-over, the old one's first.
func both(t *testing.T) (old, next *Conn) {
	t.Helper()
	old, fd, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	if next, err = NewConn(fd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Close)
	return old, next
}

// things is a state.
type things struct {
	one int
	two []byte
}

func (s *things) Code(c *form.Coder) {
	form.Int(c, &s.one)
	form.Borrowed(c, &s.two)
}

// some is a state, and descriptors, more than go with one word.
func some(t *testing.T) (state *things, fds []int) {
	t.Helper()
	for range mostRights + 10 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		t.Cleanup(func() { r.Close() })
		fds = append(fds, int(r.Fd()))
	}
	return &things{1, bytes.Repeat([]byte("two"), 1<<20)}, fds
}

// TestHandOver: the words come in their order, with all that belongs to them.
func TestHandOver(t *testing.T) {
	old, next := both(t)
	state, fds := some(t)
	taken := make(chan error, 1)
	go func() {
		defer next.Close()
		taken <- func() error {
			if err := next.SendHello("kbusd 9"); err != nil {
				return err
			}
			var its things
			got, err := next.ReceiveState(its.Code)
			if err != nil {
				return err
			}
			if its.one != 1 || !bytes.Equal(its.two, state.two) || len(got.Descriptors) != len(fds) {
				t.Errorf("the state is %d, %d bytes and %d descriptors", its.one, len(its.two), len(got.Descriptors))
			}
			got.Free()
			for i, fd := range got.Descriptors {
				if !same(fd, fds[i]) {
					t.Errorf("descriptor %d is another", i)
				}
				unix.Close(fd)
			}
			return next.AwaitGo()
		}()
	}()
	if version, err := old.ReceiveHello(); err != nil || version != "kbusd 9" {
		t.Fatal(version, err)
	}
	if err := old.SendState(state.Code, fds); err != nil {
		t.Fatal(err)
	}
	if err := old.Go(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if !old.AwaitEnd() {
		t.Error("it has not hung up")
	}
}

func same(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Ino == y.Ino && x.Dev == y.Dev
}

// TestOtherForms: a daemon that does not read our form, or whose form we do not read, is refused.
func TestOtherForms(t *testing.T) {
	form, _ := Forms()
	for _, c := range []struct{ oldest, newest int }{{0, 0}, {form + 1, form + 1}, {form + 1, form + 5}} {
		old, next := both(t)
		if err := next.send(word{Kind: "hello", Oldest: c.oldest, Newest: c.newest, Version: "other"}); err != nil {
			t.Fatal(err)
		}
		if _, err := old.ReceiveHello(); err == nil || !strings.Contains(err.Error(), "other reads") {
			t.Errorf("forms %d to %d: %v", c.oldest, c.newest, err)
		}
		next.Close()
	}
	old, next := both(t)
	defer next.Close()
	if err := old.send(word{Kind: "state", Form: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := next.ReceiveState(nil); err == nil || !strings.Contains(err.Error(), "form 7") {
		t.Error("a state of form 7: ", err)
	}
}

// TestBadWords: whatever the other side says, it is an error, and its descriptors are closed.
func TestBadWords(t *testing.T) {
	said := func(w word) string { return string(form.Append(nil, wordForm, w.code)) }
	for says, text := range map[string]string{
		"not understood":       "{",
		`"go" and not "hello"`: said(word{Kind: "go"}),
		"because I say so":     said(word{Kind: "no", Why: "because I say so"}) + "and more of a later version",
		"reads the state":      said(word{Kind: "hello"}),
		"it ends too early":    said(word{Kind: "hello"})[:6],
	} {
		old, next := both(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Sendmsg(next.fd, []byte(text), unix.UnixRights(int(r.Fd())), nil, 0); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if _, err := old.ReceiveHello(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, not %q", text, err, says)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, unix.EPIPE) {
			t.Errorf("%s: the descriptor that came along is open: %v", text, err)
		}
		w.Close()
		next.Close()
		if _, err := old.ReceiveHello(); !errors.Is(err, ErrGone) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// TestLastWord: why the other side says no is known also to who finds that it has hung up.
func TestLastWord(t *testing.T) {
	old, next := both(t)
	defer next.Close()
	if err := next.SendHello("unread"); err != nil {
		t.Fatal(err)
	}
	old.Refuse(errors.New("not now"))
	_ = unix.Shutdown(old.fd, unix.SHUT_RDWR)
	var no *Refusal
	if err := next.SendHello("again"); !errors.As(err, &no) || no.Why != "not now" {
		t.Errorf("it is told %v", err)
	}
	if err := next.SendHello("again"); !errors.Is(err, ErrGone) {
		t.Errorf("then it is told %v", err)
	}
}

// TestSpoiltState: what is no state is an error, and so is a file that could still be changed, or has not all of it: to look at
// that could be the end of the process.
func TestSpoiltState(t *testing.T) {
	state := func(write func(*form.Coder)) func(*Conn) error {
		return func(old *Conn) error { return old.SendState(write, nil) }
	}
	file := func(seal int, bytes int64) func(*Conn) error {
		return func(old *Conn) error {
			fd, err := unix.MemfdCreate("spoilt", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			_, err = unix.Write(fd, form.Append(nil, 2, func(c *form.Coder) { (&things{}).Code(c); c.Mark("end") }))
			if err == nil {
				_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seal)
			}
			if err == nil {
				err = old.send(word{Kind: "state", Form: 2, Bytes: bytes}, fd)
			}
			if err == nil {
				_, _, err = old.receive("ready")
			}
			return err
		}
	}
	for says, send := range map[string]func(*Conn) error{
		"a length is 101, and 2 bytes are left": state(func(*form.Coder) {}),
		`"other" begins and should be "end"`:    state(func(c *form.Coder) { (&things{}).Code(c); c.Mark("other") }),
		"there are 4 bytes more than are known": state(func(c *form.Coder) { (&things{}).Code(c); c.Mark("end") }),
		"it is not sealed":                      file(seals&^unix.F_SEAL_SHRINK, 6),
		"it has 6 bytes and should have 7":      file(seals, 7),
		"it has 6 bytes and should have -1":     file(seals, -1),
	} {
		old, next := both(t)
		sent := make(chan error, 1)
		go func() { sent <- send(old) }()
		var its things
		if _, err := next.ReceiveState(its.Code); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, not %q", err, says)
		}
		next.Refuse(errors.New("no"))
		var no *Refusal
		if err := <-sent; !errors.As(err, &no) || no.Why != "no" {
			t.Errorf("the other side is told %v", err)
		}
		next.Close()
	}
}
