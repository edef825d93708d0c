package kbus_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
)

func TestObserver(t *testing.T) {
	onAll(t, func(w *world) {
		o, err := w.observe()
		w.must(err)
		defer o.Close()
		r, l := w.bound(kbus.Replier, "$.A.B"), w.bound(kbus.Listener, "$.A.*", "$.A.B")
		w.send(l, kbus.Request("$.A.B", ""))
		pid := uint32(os.Getpid())

		replier, listeners, err := o.Who(w.Context(), "$.A.B")
		w.must(err)
		is(w, "the Replier", replier.Ksock, r.ID())
		is(w, "its pid", replier.PID, pid)
		is(w, "its program", replier.Program, filepath.Base(os.Args[0])[:min(15, len(filepath.Base(os.Args[0])))])
		is(w, "Listeners", fmt.Sprint(len(listeners), listeners[0].Ksock, listeners[1].Ksock), "2 2 2")
		replier, listeners, err = r.Observer().Who(w.Context(), "$.Nobody")
		w.must(err)
		is(w, "nobody", fmt.Sprint(replier.Ksock, len(listeners)), "0 0")
		_, _, err = o.Who(w.Context(), "$.*")
		w.fails(err, kbus.ErrBadName)

		list, err := o.List(w.Context())
		w.must(err)
		is(w, "Ksocks", len(list), 2) // the Observer is none
		k := list[0]
		is(w, "the newest", fmt.Sprint(k.Ksock, k.Queued, k.Outstanding, k.Bindings), "2 2 1 2")
		k = list[1]
		is(w, "the oldest", fmt.Sprint(k.Ksock, k.Queued, k.MaxMessages, k.Mode), "1 1 100 read/write")

		bindings, err := o.Bindings(w.Context())
		w.must(err)
		is(w, "bindings", fmt.Sprint(bindings), fmt.Sprintf(
			"[{0 2 %[1]d Listener $.A.B} {0 2 %[1]d Listener $.A.*} {0 1 %[1]d Replier $.A.B}]", pid))
		stats, err := o.StatsReport(w.Context())
		w.must(err)
		if !strings.HasPrefix(stats, "dev  0: next ksock 3 next msg 2 unsent unbindings 0\n") { // R8.4
			w.Errorf("stats %q", stats)
		}
		info, err := o.Info(w.Context())
		w.must(err)
		is(w, "open", fmt.Sprint(info.Ksocks, info.Connections), "2 3")
		is(w, "bindings and messages", fmt.Sprint(info.Bindings, info.Repliers, info.Queued), "3 1 3")
		is(w, "the Observer", o.String(), "Observer device 0")
		o.Close()
		is(w, "the Observer", o.String(), "Observer device 0 (closed)")
		_, err = o.List(w.Context())
		w.fails(err, kbus.ErrClosed)
	})
}

func TestParseBindingsReport(t *testing.T) {
	report := "# dev is bound to ...\n  0:        7     4021  R  $.Lamp\n# again\n 12: 1 2  L  $.*\n"
	list, err := kbus.ParseBindingsReport(report)
	if got := fmt.Sprint(list, err); got != "[{0 7 4021 Replier $.Lamp} {12 1 2 Listener $.*}] <nil>" {
		t.Error(got)
	}
	if _, err := kbus.ParseBindingsReport("nonsense\n"); err == nil {
		t.Error("nonsense was taken for a report")
	}
}

// The words in the package are those of package message: none is missing, none is twice.
func TestConditions(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range kbus.Conditions() {
		if strings.Count(string(source), "message."+c.Name()+" ") != 1 {
			t.Errorf("%s is not in errors.go", c.Name())
		}
		if e := error(&kbus.Error{Op: "try", Err: c}); !errors.Is(e, c) || !errors.Is(e, c.Errno()) {
			t.Errorf("%s is not itself", c.Name())
		}
	}
}

func TestStatusOf(t *testing.T) {
	request := kbus.ID{Serial: 7}
	tests := []struct {
		name string
		is   error
		text string
	}{
		{"$.KBUS.Replier.Disappeared", kbus.ErrDisappeared,
			"kbus: Request [0:7]: the Replier left while the Request waited for room ($.KBUS.Replier.Disappeared)"},
		{"$.KBUS.RemoteError.32", kbus.ErrRemoteError,
			"kbus: Request [0:7]: beyond a Limpet, the Request could not be sent ($.KBUS.RemoteError.32)"},
		{"$.KBUS.Something.New", kbus.StatusName("$.KBUS.Something.New"), "kbus: Request [0:7]: $.KBUS.Something.New"},
	}
	for _, test := range tests {
		err := kbus.StatusOf(&kbus.Message{Name: test.name, Header: kbus.Header{InReplyTo: request}})
		if !errors.Is(err, test.is) || err.Error() != test.text {
			t.Errorf("%s: %v", test.name, err)
		}
		if errors.Is(err, kbus.ErrGoneAway) || errors.Is(err, kbus.ErrBusGone) {
			t.Errorf("%s is another, too", test.name)
		}
	}
	if err := kbus.StatusOf(kbus.Announcement("$.KBUS.Replier.GoneAway", "")); err != nil {
		t.Errorf("an Announcement is no Status: %v", err)
	}
}
