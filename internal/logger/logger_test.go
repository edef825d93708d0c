package logger

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"time"
)

var stamp = regexp.MustCompile(`time=\S+|"time":"[^"]*"`)

// said has all that a line can have.
var said = []any{
	"text", "one", "words", `two "words" = 3`, "empty", "", "lines", "a\nb\tc\x01", "strange", "b\xffd ü \u2028", "n", 5, "large", int64(-1 << 40),
	"small", uint32(7), "took", 1500 * time.Microsecond, "is", true, "several", []int{1, -2}, "none", []int{}, "error", errors.New("it's broken"), "a key", "x",
}

// TestLinesAreThoseOfSlog: programs that read logs find what slog would write.
func TestLinesAreThoseOfSlog(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var ours, theirs bytes.Buffer
		var level LevelVar
		level.Set(LevelDebug)
		h, like := NewText(&ours, &level), slog.Handler(slog.NewTextHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if asJSON {
			h, like = NewJSON(&ours, &level), slog.NewJSONHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug})
		}
		New(h).With("bus", 3).Debug("first")
		slog.New(like).With("bus", 3).Debug("first")
		New(h).Info("some words", said...)
		slog.New(like).Info("some words", said...)
		New(h).Warn("third")
		slog.New(like).Warn("third")
		New(h).LogAttrs(LevelError, "", String("a", "b"), Int("c", 1), Int64("d", 2))
		slog.New(like).LogAttrs(t.Context(), slog.LevelError, "", slog.String("a", "b"), slog.Int("c", 1), slog.Int64("d", 2))
		if is, want := same(t, &ours, asJSON), same(t, &theirs, asJSON); is != want {
			t.Errorf("lines are\n%sand of slog\n%s", is, want)
		}
	}
}

// same is lines without their times, and JSON in one way of writing it.
func same(t *testing.T, lines *bytes.Buffer, asJSON bool) string {
	t.Helper()
	if n := len(stamp.FindAll(lines.Bytes(), -1)); n != 4 {
		t.Errorf("%d lines have a time: %s", n, lines)
	}
	if !asJSON {
		return stamp.ReplaceAllString(lines.String(), "time")
	}
	var all string
	for d := json.NewDecoder(lines); ; {
		line := map[string]any{}
		if d.Decode(&line) != nil {
			return all
		}
		if _, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil {
			t.Error(err)
		}
		delete(line, "time")
		text, err := json.Marshal(line)
		if err != nil {
			t.Error(err)
		}
		all += string(text) + "\n"
	}
}

// TestLevels: what is below the level is not written, and the level can be changed.
func TestLevels(t *testing.T) {
	var out bytes.Buffer
	var level LevelVar
	log := New(NewText(&out, &level)).With("a", 1)
	log.Debug("no")
	level.Set(LevelWarn)
	log.Info("no")
	log.LogAttrs(LevelInfo, "no")
	if out.Len() > 0 {
		t.Errorf("it says %s", &out)
	}
	log.Warn("yes")
	if out.Len() == 0 {
		t.Error("it says nothing")
	}
	New(Discard).With("a", 1).Error("no")
}
