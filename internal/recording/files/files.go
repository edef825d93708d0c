// Package files puts a recording into files: one, or one after the other, each begun when there is something to write into it,
// the oldest of them removed. A file is never written over, for what is in it may be all that is left of an accident.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/recording"
)

// Standard is the path that means standard output.
const Standard = "-"

// Plan says where a recording goes.
type Plan struct {
	Path     string
	Format   recording.Format
	Compress recording.Compression
	Append   bool          // go on in a file that is there
	MaxBytes int64         // then the next file begins; 0: never
	MaxTime  time.Duration // likewise, since its first event
	Keep     int           // so many files stay, those of earlier recordings among them; 0: all
	Numbered bool          // files have numbers, also without a limit
}

// numbers reports whether there are several files.
func (p *Plan) numbers() bool { return p.MaxBytes > 0 || p.MaxTime > 0 || p.Numbered }

// Files is where a recording goes. It is not safe for concurrent use.
type Files struct {
	plan   Plan
	names  []string // that were begun
	out    *os.File // the one that is being written; nil: none
	writer recording.Writer
	began  int64  // boot time of its first event; 0: there is none
	done   int64  // bytes of those before
	serial uint64 // of the last event
}

// Begin begins a recording. What can be told of the place is told now, and not when the first event comes.
func Begin(plan Plan) (*Files, error) {
	f := &Files{plan: plan}
	if plan.numbers() {
		dir := filepath.Dir(plan.Path)
		if err := unix.Access(dir, unix.W_OK); err != nil {
			return nil, &fs.PathError{Op: "write to", Path: dir, Err: err}
		}
		return f, nil
	}
	return f, f.open(plan.Path)
}

// Serial is that of the last event that was there before, when a recording goes on.
func (f *Files) Serial() uint64 { return f.serial }

// Name is the file that is being written, or was last.
func (f *Files) Name() string {
	if len(f.names) == 0 {
		return f.plan.Path
	}
	return f.names[len(f.names)-1]
}

// Names are all files of this recording, those that have been removed again among them.
func (f *Files) Names() []string { return f.names }

// Bytes is how long all files of this recording are together.
func (f *Files) Bytes() int64 {
	if f.writer == nil {
		return f.done
	}
	return f.done + f.writer.Bytes()
}

// Write adds an event.
func (f *Files) Write(e *recording.Event) error {
	if f.full(e.Boot) {
		if err := f.Close(); err != nil {
			return err
		}
	}
	if f.writer == nil {
		if err := f.next(); err != nil {
			return err
		}
	}
	if f.began == 0 {
		f.began = e.Boot
	}
	return f.failed(f.writer.Write(e))
}

// full reports whether the next event belongs into the next file.
func (f *Files) full(boot int64) bool {
	if f.writer == nil || f.began == 0 {
		return false
	}
	p := &f.plan
	return p.MaxBytes > 0 && f.writer.Bytes() >= p.MaxBytes || p.MaxTime > 0 && boot-f.began >= int64(p.MaxTime)
}

// Flush hands everything to the system: that we are killed costs nothing of it.
func (f *Files) Flush() error {
	if f.writer == nil {
		return nil
	}
	return f.failed(f.writer.Flush())
}

// Reconnected says that what comes may be of another life of the bus.
func (f *Files) Reconnected() {
	if f.writer != nil {
		f.writer.Reconnected()
	}
}

// Close ends the file that is being written. With another Write, the next begins.
func (f *Files) Close() error {
	if f.writer == nil {
		return nil
	}
	err := f.failed(f.writer.Close())
	f.done += f.written()
	if f.plan.Path != Standard {
		err = errors.Join(err, f.out.Close())
	}
	f.writer, f.out, f.began = nil, nil, 0
	return err
}

// written is how long the file is that was just ended. On a full disk that is less than its writer has written.
func (f *Files) written() int64 {
	if f.plan.Path != Standard {
		if info, err := f.out.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return f.writer.Bytes()
}

func (f *Files) failed(err error) error {
	if err == nil || f.plan.Path != Standard {
		return err // which names the file
	}
	return fmt.Errorf("standard output: %w", err)
}

// next begins the next file, and removes those that are too many.
func (f *Files) next() error {
	if !f.plan.numbers() {
		return f.open(f.plan.Path)
	}
	old, last, err := numbered(f.plan.Path)
	if err != nil {
		return err
	}
	if keep := f.plan.Keep; keep > 0 && len(old) >= keep {
		for _, name := range old[:len(old)-keep+1] {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return f.open(withNumber(f.plan.Path, last+1))
}

// open begins a file, or goes on in one.
func (f *Files) open(name string) (err error) {
	if name == Standard {
		f.out = os.Stdout
	} else if f.out, err = f.create(name); err != nil {
		return err
	}
	if f.writer == nil {
		f.writer, err = recording.Create(f.plan.Format, f.out, f.plan.Compress)
	}
	if err == nil {
		err = f.failed(f.writer.Flush())
	}
	if err != nil {
		return errors.Join(err, f.out.Close())
	}
	f.names = append(f.names, name)
	return nil
}

// create makes a file that is not there, unless it is no file but a device or a pipe. One that goes on sets the writer, too.
func (f *Files) create(name string) (*os.File, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return locked(os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640))
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return os.OpenFile(name, os.O_WRONLY, 0)
	case !f.plan.Append:
		return nil, &fs.PathError{Op: "begin", Path: name, Err: fmt.Errorf("%w: take another name", unix.EEXIST)}
	}
	out, err := locked(os.OpenFile(name, os.O_RDWR, 0))
	if err != nil {
		return nil, err
	}
	if err := f.goOn(out); err != nil {
		f.writer = nil
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// goOn goes on in a file that is there, unless it is empty.
func (f *Files) goOn(out *os.File) error {
	info, err := out.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	if f.writer, f.serial, err = recording.Append(out); err != nil {
		return fmt.Errorf("%s: %w", out.Name(), err)
	}
	return nil
}

// busy is why a file is refused that another recorder writes: each would write over what the other has written.
type busy struct{}

func (busy) Error() string { return "another program records to it" }

// Unwrap gives what the exit status says.
func (busy) Unwrap() error { return unix.EBUSY }

// locked is a file that no other recorder writes. Where there are no locks, as on some file systems of other machines, there is none.
func locked(out *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	if errors.Is(unix.Flock(int(out.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("%s: %w", out.Name(), busy{}), out.Close())
	}
	return out, nil
}
