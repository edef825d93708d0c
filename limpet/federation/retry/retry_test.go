package retry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
)

// lines is a log that keeps the reasons.
type lines struct{ why []string }

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool { l.why = append(l.why, a.Value.String()); return true })
	return nil
}

// A reason is told once for as long as it lasts. That the hub is not there yet must not hide that it is the wrong one.
func TestReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lines
		reasons := []string{"no link", "no link", "two domains", "two domains", "no link", ""}
		err := Until(t.Context(), slog.New(&l), "not yet", func(context.Context) error {
			why := reasons[0]
			reasons = reasons[1:]
			if why == "" {
				return nil
			}
			return errors.New(why)
		})
		if want := []string{"no link", "two domains", "no link"}; err != nil || !slices.Equal(l.why, want) {
			t.Errorf("%v, and logged %q, want %q", err, l.why, want)
		}
	})
}
