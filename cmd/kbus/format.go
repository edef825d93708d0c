package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kbus"
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
	c.Flags().Var(f, "format", "what to print: message, data (on a line) or raw (data)")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// plural is "1 message" or "2 messages".
func plural(n uint32, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// printMessage writes one message, in one write, so that lines of several processes do not mix.
func (l *line) printMessage(m *kbus.Message, f format) error {
	if l.json {
		return l.printJSON(messageJSON(m))
	}
	out := m.Data
	switch f {
	case formatMessage:
		out = []byte(l.colourful(m.String()) + "\n")
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
