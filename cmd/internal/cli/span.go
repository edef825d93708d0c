package cli

import (
	"errors"
	"time"

	"github.com/spf13/pflag"
)

// span is the value of a flag that takes a length of time. None is negative: what would end before it has begun is a mistake of
// who typed it, and must not mean the same as no limit.
type span time.Duration

// SpanVar makes such a flag. What 0 means is the command's affair.
func SpanVar(f *pflag.FlagSet, to *time.Duration, name string, otherwise time.Duration, usage string) {
	*to = otherwise
	f.Var((*span)(to), name, usage)
}

// Type is what the help calls it.
func (s *span) Type() string { return "duration" }

// String is as Set reads it.
func (s *span) String() string {
	if *s == 0 {
		return "0"
	}
	return time.Duration(*s).String()
}

// Set reads a length of time.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("a length of time is needed, as 500ms, 10s or 1h30m")
	}
	*s = span(d)
	return nil
}
