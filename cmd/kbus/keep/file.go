package keep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/message"
)

// The file has JSON lines: a first one that says what it is, one for each value, and a last one that says how many there were,
// so that a copy whose end is missing is noticed. It is never changed: a whole new one is written beside it, brought to the
// disk, and put in its place by rename. So it is at every moment, also when process or machine die in the middle, the old one or
// the new one. What an attempt that ended too early has left is overwritten by the next.

const form = 1 // of the file

type heading struct {
	Form int `json:"kbus_keep"`
}

type ending struct {
	Values *int `json:"values"`
}

type record struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Text string    `json:"data,omitempty"`
	Data []byte    `json:"data_base64,omitempty"` // when it is no text
}

// File is where values survive. One process at a time has it.
type File struct {
	path string
	lock *os.File
}

// ErrInUse is for a file that another process has.
var ErrInUse = errors.New("another process keeps its values there")

// noDirectory is the path of a directory that is not there.
type noDirectory string

func (d noDirectory) Error() string { return "the directory " + string(d) + " is not there" }
func (d noDirectory) Unwrap() error { return unix.ENOENT }

// Open takes a file for this process; it need not be there yet. The lock is a file of its own, since the file itself is
// replaced. A link stays one: what it leads to is the file, whoever comes by which way.
func Open(path string) (*File, error) {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, noDirectory(filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &File{path: path, lock: lock}, nil
}

// Close lets another process have it.
func (f *File) Close() error { return f.lock.Close() }

// Load reads what is there; nothing, if there is no file.
func (f *File) Load() ([]Entry, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; move it away to begin without its values", f.path, err)
	}
	return all, nil
}

func parse(data []byte) (all []Entry, err error) {
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	var first heading
	if json.Unmarshal(lines[0], &first) != nil || first.Form != form {
		return nil, errors.New("the first line is not that of a file of kbus keep")
	}
	var last ending
	if json.Unmarshal(lines[len(lines)-1], &last) != nil || last.Values == nil {
		return nil, errors.New("its end is missing")
	}
	lines = lines[1 : len(lines)-1]
	if len(lines) != *last.Values {
		return nil, fmt.Errorf("it has %d values and should have %d", len(lines), *last.Values)
	}
	for i, line := range lines {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		if c := message.CheckName([]byte(r.Name)); c != message.OK {
			return nil, fmt.Errorf("line %d: %q: %w", i+2, r.Name, c)
		}
		if r.Data == nil {
			r.Data = []byte(r.Text)
		}
		all = append(all, Entry{r.Name, Value{r.Data, r.At}})
	}
	return all, nil
}

// Save puts a file with those values in the place of the one that is there.
func (f *File) Save(all []Entry) (err error) {
	beside := f.path + ".new"
	file, err := os.OpenFile(beside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(file, all)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(beside, f.path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

func write(to io.Writer, all []Entry) error {
	w := bufio.NewWriterSize(to, 64<<10)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	err := e.Encode(heading{form})
	for i := 0; i < len(all) && err == nil; i++ {
		r := record{Name: all[i].Name, At: all[i].At}
		if utf8.Valid(all[i].Data) {
			r.Text = string(all[i].Data)
		} else {
			r.Data = all[i].Data
		}
		err = e.Encode(r)
	}
	n := len(all)
	if err == nil {
		err = e.Encode(ending{&n})
	}
	if err == nil {
		err = w.Flush()
	}
	return err
}

// syncDir brings a rename to the disk.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
