package device

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/fuse"
)

// A device can be handed over to another process, as its bus can. The connection with the kernel is a descriptor like others,
// and the kernel does not know which process answers it. Each request is answered in the step that reads it, and none of them
// waits: between two steps nothing is half done. What programs ask while nobody answers lies in the kernel, and is answered by
// whoever reads next. What the kernel knows of us are handles of open files, numbers of nodes and poll handles: those stay.

// State is all of a device.
type State struct {
	Conn           int    // the connection with the kernel: a descriptor, by its index
	CUSE           string // the name of a character device; "": it is FUSE
	Mount, Link    string
	Mode, UID, GID uint32 // as chmod and chown have left them
	Seconds        uint64
	Closed         bool
	Files          []FileState // by handle
}

// FileState is an open file.
type FileState struct {
	Kind    uint8 // one of those below
	Visitor VisitorState
	Ksock   int // its index in the state of the bus; bus.None: it is closed there
	Mode    file.Mode
	File    file.State

	PollHandle uint64
	Armed      bool

	Text []byte // of a report, once it is Made
	Made bool
}

// What an open file is.
const (
	noFile uint8 = iota
	ksockFile
	bindingsFile
	statsFile
)

// VisitorState is what the owner of a device knows of who has a file open.
type VisitorState struct {
	Owner  bus.Owner // without its Judge
	Groups []uint32
	Logged uint16
}

// StateOf gives the state of a device. index gives that of a Ksock in the state of the bus.
func StateOf(d *Device, index func(*bus.Ksock) int) *State {
	a := &d.nodes.device
	s := &State{
		CUSE: d.conn.CUSE(), Mount: d.node.mount, Link: d.node.link,
		Mode: a.Mode, UID: a.UID, GID: a.GID, Seconds: a.Seconds, Closed: d.closed,
		Files: make([]FileState, len(d.open)),
	}
	for handle, o := range d.open {
		f := &s.Files[handle]
		switch o := o.(type) {
		case *Ksock:
			*f = FileState{Kind: ksockFile, Visitor: o.visitor.State(), Ksock: bus.None, Mode: o.file.Mode,
				PollHandle: o.pollHandle, Armed: o.armed}
			if !o.ended {
				f.Ksock, f.File = index(o.file.Ksock), file.StateOf(o.file)
			}
		case *report:
			*f = FileState{Kind: bindingsFile, Visitor: o.visitor.State(), Text: o.text, Made: o.made}
			if o.isStats {
				f.Kind = statsFile
			}
		}
	}
	return s
}

var errBadState = errors.New("device: bad state")

// Resume makes the device of a state, on a connection that is its own from now on. ksocks are those of the state of its bus. It
// says nothing to the kernel before Serve or Wake, and takes nothing away unless Own comes first.
func Resume(c Config, number uint32, b *bus.Bus, o Owner, s *State, conn int, ksocks []*bus.Ksock) (*Device, error) {
	d := &Device{bus: b, owner: o, nodes: newNodes(c, number), conn: fuse.Resume(conn, s.CUSE), closed: s.Closed}
	if err := unix.SetNonblock(conn, true); err != nil {
		return d, fmt.Errorf("device: %w", err)
	}
	a := &d.nodes.device
	a.Mode, a.UID, a.GID, a.Seconds = s.Mode, s.UID, s.GID, s.Seconds
	for handle := range s.Files {
		f := &s.Files[handle]
		if f.Kind == noFile {
			d.open = append(d.open, nil)
			d.unused = append(d.unused, uint64(handle))
			continue
		}
		visitor := o.Readmit(&f.Visitor)
		opened, err := d.resumeFile(f, visitor, ksocks)
		if err != nil {
			return d, fmt.Errorf("open file %d: %w", handle, err)
		}
		d.open = append(d.open, opened)
	}
	return d, nil
}

func (d *Device) resumeFile(f *FileState, visitor Visitor, ksocks []*bus.Ksock) (opened, error) {
	switch f.Kind {
	case bindingsFile, statsFile:
		r := &report{device: d, visitor: visitor, isStats: f.Kind == statsFile, text: f.Text, made: f.Made}
		visitor.Buffer(int64(len(r.text)))
		return r, nil
	case ksockFile:
	default:
		return nil, errBadState
	}
	k := &Ksock{device: d, visitor: visitor, pollHandle: f.PollHandle, armed: f.Armed, ended: f.Ksock == bus.None}
	if k.ended {
		k.file = file.New(d.bus, nil, f.Mode)
		return k, nil
	}
	if f.Ksock < 0 || f.Ksock >= len(ksocks) || ksocks[f.Ksock].Tag != nil {
		return nil, errBadState
	}
	of := ksocks[f.Ksock]
	of.Tag = k
	bus.SetJudge(of, visitor.Owner().Judge)
	var err error
	if k.file, err = file.FromState(&f.File, d.bus, of, f.Mode); err != nil {
		return nil, err
	}
	k.chargeHeld()
	return k, nil
}

// Own has a device that was resumed be taken away at its end.
func (d *Device) Own(s *State) { d.node = node{mount: s.Mount, link: s.Link} }
