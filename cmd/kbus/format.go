package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/plain"
)

// Messages are printed as the introduction to KBUS prints them, one line each; or only their data; or as JSON
// (see messagejson.go).

// format is the value of --format.
type format string

const (
	formatMessage format = "message" // the whole message on one line
	formatData    format = "data"    // its data, with a line break if it ends in none
	formatRaw     format = "raw"     // its data, to the byte
)

var formats = []string{string(formatMessage), string(formatData), string(formatRaw)}

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "FORM" }

func (f *format) Set(text string) error {
	for _, known := range formats {
		if text == known {
			*f = format(text)
			return nil
		}
	}
	return errors.New("it is one of " + strings.Join(formats, ", "))
}

func registerFormat(c *cobra.Command, f *format) {
	c.Flags().Var(f, "format", "print message, data (on a line) or raw (data)")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// plural is "1 message" or "2 messages".
func plural[N int | int64 | uint32 | uint64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// tooFast says how many events somebody who looks on has missed.
func tooFast(events uint64, whom string) string {
	were := map[bool]string{true: " was", false: " were"}[events == 1]
	return plural(events, "event") + were + " too fast for " + whom
}

// printMessage writes one message, in one write, so that lines of several processes do not mix.
func (l *line) printMessage(m *kbus.Message, f format) error {
	return l.printReceived(m, f, circumstances{})
}

// circumstances are what may be printed with a message besides itself: nothing unless it is set.
type circumstances struct {
	came   time.Time
	bus    *uint32
	sender *kbus.Peer
	trace  *kbus.Trace
}

// before is the beginning of a line, with those circumstances.
func (c circumstances) before(colours palette) string {
	if c.came.IsZero() {
		return ""
	}
	text := c.came.Format(timeFormat)
	if c.bus != nil {
		text += fmt.Sprintf(" bus %d", *c.bus)
	}
	if p := c.sender; p != nil {
		text += fmt.Sprintf(" %s[%d] uid %d", plain.Text(p.Program), p.PID, p.UID)
	}
	if !c.trace.Empty() {
		text += " " + plain.Text(c.trace.Parent)
	}
	return colours.paint(dim, text) + " "
}

// timeFormat is RFC 3339 with microseconds, so that lines have one width.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func (l *line) printReceived(m *kbus.Message, f format, c circumstances) error {
	if l.JSON {
		j := messageJSON(m)
		if !c.came.IsZero() {
			j.Came = c.came.Format(timeFormat)
		}
		if p := c.sender; p != nil {
			j.PID, j.UID, j.Program = p.PID, &p.UID, plain.Text(p.Program)
		}
		return l.printJSON(j)
	}
	out := m.Data
	switch f {
	case formatMessage:
		out = []byte(c.before(l.colours) + l.colourful(legible(m)) + "\n")
	case formatData:
		if !bytes.HasSuffix(out, []byte("\n")) {
			out = append(bytes.Clone(out), '\n')
		}
	}
	_, err := l.out.Write(out)
	return err
}

var kindColours = map[string]string{
	"Announcement": cyan, "Request": yellow, "Reply": green, "Status": red, "ReplierBindEvent": cyan,
}

// colourful paints the kind of a printed message.
func (l *line) colourful(printed string) string {
	kind, rest, found := strings.Cut(strings.TrimPrefix(printed, "<"), " ")
	if !found {
		return printed
	}
	return "<" + l.colours.paint(kindColours[kind], kind) + " " + rest
}
