// Package play performs the introduction to KBUS: a play with four actors, each a process of its own, on a bus of their
// own. Nothing in it is painted on: every line that an actor prints is what the bus did just then.
//
// The director, Perform, gives one cue at a time and waits until it has been carried out, so the order is always that
// of the script. The only pauses are for the eyes of the audience.
package play

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"kbus.example/kbus/cmd/kbus/stage"
)

// Options say how to perform.
type Options struct {
	Program string // the kbus binary, to be run as `kbus actor NAME`
	Bowls   bool   // not the introduction, but the piece about two buses
	Form    Form
	Fast    bool // no pauses

	In         io.Reader // where Enter comes from, when OnTerminal
	OnTerminal bool
	Out        io.Writer
	Colour     bool
	Columns    int // of the terminal; 0: do not fold what the actors print
}

// Form is how the play is written down.
type Form uint8

// The forms.
const (
	Show       Form = iota // for people: captions, stage directions, colours, pauses
	Transcript             // only what the actors print, a line each
	JSON                   // the same, as JSON lines
)

// What may be missing to perform with.
var (
	ErrNoDaemon = errors.New("no kbusd beside this program, nor in PATH; `make build` makes it")
	ErrNoLimpet = errors.New("no kbus-limpet beside this program, nor in PATH; `make build` makes it")
)

// A piece is what is performed.
type piece struct {
	title   string
	cast    []*part
	buses   int
	joined  bool   // by a pair of Limpets
	opening string // behind the list of who is who
	scenes  []scene
	curtain string
}

// Perform plays a whole piece. When ctx ends first it stops wherever it is, cleans up, and returns the error of ctx.
func Perform(ctx context.Context, o Options) error {
	piece := &introduction
	if o.Bowls {
		piece = &bowls
	}
	p := newPage(o, piece)
	err := perform(ctx, o, piece, p)
	if ctx.Err() != nil {
		return ctx.Err() // and not what went wrong because of it
	}
	if err != nil {
		return err
	}
	p.curtain()
	return p.err()
}

func perform(ctx context.Context, o Options, piece *piece, p page) (err error) {
	runtime.LockOSThread() // see stage.Stage
	defer runtime.UnlockOSThread()

	kbusd := find(o.Program, "kbusd")
	if kbusd == "" {
		return ErrNoDaemon
	}
	s, err := stage.Build(ctx, kbusd, piece.buses)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Strike()) }()
	var l *limpets
	if piece.joined {
		if l, err = join(ctx, o.Program, s.Dir); err != nil {
			return err
		}
		defer l.part()
	}
	c, err := gather(ctx, o.Program, s.Dir, piece.cast)
	defer c.dismiss()
	if err != nil {
		return err
	}
	p.title(s, c, l)
	between := newPause(o)
	for i := range piece.scenes {
		if err := between.wait(ctx); err != nil {
			return err
		}
		p.scene(i+1, &piece.scenes[i])
		for _, b := range piece.scenes[i].beats {
			if err := errors.Join(c[b.who].play(p, b), p.err()); err != nil {
				return err
			}
		}
	}
	return p.err()
}

// find finds a program that lies beside the kbus binary, else the one in PATH. It gives "" if there is none.
func find(program, name string) string {
	beside := filepath.Join(filepath.Dir(program), name)
	if i, err := os.Stat(beside); err == nil && i.Mode().IsRegular() {
		return beside
	}
	if inPath, err := exec.LookPath(name); err == nil {
		return inPath
	}
	return ""
}
