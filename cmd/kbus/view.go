package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/requests"
	"kbus.example/kbus/internal/top"
	"kbus.example/kbus/message"
)

// What kbus monitor shows of a bus, kbus show shows of a recording: which events, and how, is here. It neither knows where they
// come from nor what time it is.

// view is a look at events.
type view struct {
	*line
	wish
	data   dataForm
	decode decoder
	text   io.Writer                             // for lines
	peerOf func(kbus.KsockID) (kbus.Peer, error) // nil: there is nobody to ask
	waits  time.Duration                         // how long a Request without an answer has waited to be told of, without --slow

	printed  uint32
	lost     uint64
	of       *watched // the bus that all is about just now
	namesBus bool     // each line says which that is
}

// watched is what is known of one bus so far.
type watched struct {
	bus   uint32
	open  requests.Open
	tally top.Names
	last  string // id of the message shown last
}

func newWatched(bus uint32) watched {
	return watched{bus: bus, open: requests.Open{}}
}

// wish is what somebody wants to see.
type wish struct {
	patterns   []string
	count      uint32
	follow     string
	trace      string // the id of one
	slow       time.Duration
	unanswered bool
	failures   bool
	ksock      uint32
	stats      bool
}

// register makes the flags.
func (m *view) register(c *cobra.Command) {
	f := c.Flags()
	f.Var((*amount)(&m.count), "count", "end after N lines")
	f.StringVar(&m.follow, "follow", "", "only the Request with this `ID`, who takes it and what answers it")
	f.StringVar(&m.trace, "trace", "", "only messages of the trace with this `ID`, or traceparent,\nand what becomes of its Requests")
	_ = c.RegisterFlagCompletionFunc("trace", cobra.NoFileCompletions)
	cli.SpanVar(f, &m.slow, "slow", 0, "only Requests whose answer takes longer than that `time`, when it comes")
	f.BoolVar(&m.unanswered, "unanswered", false, "only Requests that have waited for an answer for a second, or for --slow")
	f.BoolVar(&m.failures, "failures", false, "only what was refused, what somebody missed, and Statuses")
	f.Var((*amount)(&m.ksock), "ksock", "only what Ksock N does, sends or is sent")
	f.BoolVar(&m.stats, "stats", false, "count for each name, and print the figures at the end")
	f.Var(&m.data, "data", "how data is shown: text, hex or none")
	f.StringVar(&m.decode.command, "decode", "", "show data as `CMD` prints it, which gets it on standard input")
	_ = c.RegisterFlagCompletionFunc("data", cobra.FixedCompletions(dataForms[:], cobra.ShellCompDirectiveNoFileComp))
}

// check refuses what contradicts itself.
func (m *view) check() error {
	only := 0
	for _, on := range []bool{m.follow != "", m.trace != "", m.unanswered, m.slow > 0 && !m.unanswered, m.failures, m.stats} {
		if on {
			only++
		}
	}
	if only > 1 {
		return cli.Misused("--follow, --trace, --slow, --unanswered, --failures and --stats are one or the other")
	}
	if m.follow != "" {
		id, err := parseID(m.follow)
		if err != nil {
			return err
		}
		m.follow = id
	}
	if m.trace != "" {
		id, err := parseTraceID(m.trace)
		if err != nil {
			return err
		}
		m.trace = id
	}
	return nil
}

// follows reports whether Requests are followed, and not each event shown.
func (m *view) follows() bool { return m.follow != "" || m.slow > 0 || m.unanswered }

// looksAtAll reports whether an event may be shown for the sake of another one, which has another name.
func (m *view) looksAtAll() bool { return m.follows() || m.trace != "" }

// inTrace reports whether an event belongs to the trace that is wanted: by its own trace context, or by that of the Request that it is
// about. So what answers a Request is there also if nothing has given it a trace context, as a Status.
func (m *view) inTrace(e *kbus.Event, about *requests.Request) bool {
	name := e.Message.Name
	if about != nil {
		name = about.Name
	}
	return (e.Trace.TraceID() == m.trace || about != nil && about.Trace == m.trace) && m.wanted(name)
}

// wanted reports whether a Request that is followed is one of those that the patterns mean.
func (m *view) wanted(name string) bool {
	return len(m.patterns) == 0 || slices.ContainsFunc(m.patterns, func(p string) bool { return message.Matches(p, name) })
}

func (m *view) event(ctx context.Context, e *kbus.Event) error {
	if !m.JSON {
		e.Message = harmless(e.Message)
	}
	if e.Lost > 0 {
		m.lost += e.Lost
		after := "at first"
		if m.of.last != "" {
			after = "after " + m.of.last
		}
		if err := m.printLost(e, after); err != nil {
			return err
		}
	}
	if e.Event == kbus.EventLost {
		return nil
	}
	if !e.ID.IsZero() {
		m.of.last = e.ID.String()
	}
	about := m.of.open.Note(e)
	switch {
	case m.stats:
		if about != nil && !about.Answered {
			about = nil
		}
		m.of.tally.Note(e, about)
		return nil
	case m.follow != "":
		if about == nil || plainID(about.ID) != m.follow {
			return nil
		}
		if about.Answered && m.count == 0 {
			m.count = m.printed + 1 // that is the end of it
		}
	case m.trace != "":
		if !m.inTrace(e, about) {
			return nil
		}
	case m.unanswered:
		if about == nil || !about.Answered || !about.Overdue {
			return nil
		}
	case m.slow > 0:
		if about == nil || !about.Answered || about.Lasted() < m.slow || !m.wanted(about.Name) {
			return nil
		}
	}
	return m.print(ctx, e, about)
}

// overdue tells of Requests that have waited long enough.
func (m *view) overdue(now time.Time) error {
	if !m.unanswered {
		return nil
	}
	for _, r := range m.of.open.OlderThan(now.Add(-cmp.Or(m.slow, m.waits))) {
		if r.Overdue || !m.wanted(r.Name) {
			continue
		}
		if m.count > 0 && m.printed >= m.count {
			break
		}
		r.Overdue = true
		if err := m.printOverdue(r, now); err != nil {
			return err
		}
	}
	return nil
}

// end prints the figures of all buses, and what was lost to whom.
func (m *view) end(whom string, all ...*watched) error {
	if m.lost > 0 {
		m.note(tooFast(m.lost, whom))
	}
	if m.stats {
		return m.printTally(all)
	}
	return nil
}

// harmless is a message without what a terminal obeys, in names that nobody has checked: those of what was refused, and all in a
// file of others.
func harmless(m kbus.Message) kbus.Message {
	if e, isEvent := kbus.ParseBindEvent(m.Data); isEvent && m.Name == kbus.NameReplierBindEvent && plain.Text(e.Name) != e.Name {
		m.Data = nil
	}
	m.Name = plain.Text(m.Name)
	return m
}
