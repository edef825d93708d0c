// Package logger writes the log of the daemon: lines of words, with a level and values that have names, as text or as JSON. It is a
// small part of log/slog, with the same names and the same lines; slog takes encoding/json and 400 KB of the daemon with it,
// whether lines are JSON or not.
package logger

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Level says how much somebody should care.
type Level int

// The levels.
const (
	LevelDebug Level = -4
	LevelInfo  Level = 0
	LevelWarn  Level = 4
	LevelError Level = 8
)

// String is as in lines.
func (l Level) String() string {
	switch {
	case l < LevelInfo:
		return "DEBUG"
	case l < LevelWarn:
		return "INFO"
	case l < LevelError:
		return "WARN"
	}
	return "ERROR"
}

// Leveler says which level is the least that is written.
type Leveler interface{ Level() Level }

// Level makes a level a Leveler.
func (l Level) Level() Level { return l }

// LevelVar is a level that can be changed while others log; at first LevelInfo.
type LevelVar struct{ level atomic.Int64 }

// Level is what it is now.
func (v *LevelVar) Level() Level { return Level(v.level.Load()) }

// Set changes it.
func (v *LevelVar) Set(l Level) { v.level.Store(int64(l)) }

// Attr is a value with a name.
type Attr struct {
	Key   string
	Value any
}

// String, Int and Int64 make an Attr.

func String(key, value string) Attr      { return Attr{key, value} }
func Int(key string, value int) Attr     { return Attr{key, value} }
func Int64(key string, value int64) Attr { return Attr{key, value} }

// Record is one line.
type Record struct {
	Time    time.Time
	Level   Level
	Message string
	Attrs   []Attr
}

// Handler does something with lines. It is safe for concurrent use.
type Handler interface {
	// Enabled reports whether lines of that level are wanted.
	Enabled(Level) bool
	// Handle takes one. It must not keep its Attrs.
	Handle(Record) error
	// With gives a Handler that puts these before the Attrs of each line.
	With([]Attr) Handler
}

// Logger has lines be handled. Arguments are names with their values, one after the other.
type Logger struct{ handler Handler }

// New makes one.
func New(h Handler) *Logger { return &Logger{h} }

// Handler is what it was made with.
func (l *Logger) Handler() Handler { return l.handler }

// With gives a Logger that says these in each line.
func (l *Logger) With(args ...any) *Logger { return &Logger{l.handler.With(attrs(args))} }

// Debug, Info, Warn and Error log a line.

func (l *Logger) Debug(message string, args ...any) { l.log(LevelDebug, message, args) }
func (l *Logger) Info(message string, args ...any)  { l.log(LevelInfo, message, args) }
func (l *Logger) Warn(message string, args ...any)  { l.log(LevelWarn, message, args) }
func (l *Logger) Error(message string, args ...any) { l.log(LevelError, message, args) }

func (l *Logger) log(level Level, message string, args []any) {
	if l.handler.Enabled(level) {
		l.LogAttrs(level, message, attrs(args)...)
	}
}

// LogAttrs logs a line. A failure could be reported to no one.
func (l *Logger) LogAttrs(level Level, message string, attrs ...Attr) {
	if l.handler.Enabled(level) {
		_ = l.handler.Handle(Record{time.Now(), level, message, attrs})
	}
}

func attrs(args []any) (list []Attr) {
	for len(args) > 1 {
		key, _ := args[0].(string)
		list = append(list, Attr{key, args[1]})
		args = args[2:]
	}
	if len(args) > 0 {
		panic("logger: a name without a value: " + fmt.Sprint(args[0]))
	}
	return list
}

// Discard handles nothing.
var Discard Handler = discard{}

type discard struct{}

func (discard) Enabled(Level) bool    { return false }
func (discard) Handle(Record) error   { return nil }
func (d discard) With([]Attr) Handler { return d }

// text is a value for people.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case error:
		return v.Error()
	}
	return fmt.Sprintf("%+v", value)
}
