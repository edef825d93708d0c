package ordered

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/limpet/federation/retry"
)

// A checkpoint is how far an outlet has been served. It lies in a small file and is written after each message, so that a
// Limpet that was killed goes on there when it is started again. At most the last message may then have been delivered
// and not noted; the bus knows. Nothing is synced to disk: if the machine dies the bus dies with it, and a checkpoint in its
// life is worth nothing.

// checkpoint is what the file holds.
type checkpoint struct {
	incarnation uint32 // of the outlet
	stream      int64  // when the stream was made, which tells it from another of the same name
	entry       uint64 // number of the last entry that was delivered whole
	messages    uint32 // of the entry after that which have been dealt with
}

const (
	checkpointMagic = 0x6B62506C
	checkpointBytes = 28
)

func (p checkpoint) bytes() []byte {
	b := make([]byte, 0, checkpointBytes)
	b = binary.BigEndian.AppendUint32(b, checkpointMagic)
	b = binary.BigEndian.AppendUint32(b, p.incarnation)
	b = binary.BigEndian.AppendUint64(b, uint64(p.stream))
	b = binary.BigEndian.AppendUint64(b, p.entry)
	return binary.BigEndian.AppendUint32(b, p.messages)
}

func parseCheckpoint(b []byte) (p checkpoint, ok bool) {
	if len(b) != checkpointBytes || binary.BigEndian.Uint32(b) != checkpointMagic {
		return p, false
	}
	return checkpoint{
		incarnation: binary.BigEndian.Uint32(b[4:]), stream: int64(binary.BigEndian.Uint64(b[8:])),
		entry: binary.BigEndian.Uint64(b[16:]), messages: binary.BigEndian.Uint32(b[24:]),
	}, true
}

// bookmark is the file. Without one nothing is noted.
type bookmark struct {
	file *os.File
	log  *slog.Logger
}

// openBookmark opens the file, and sees to it that nobody else uses it: an outlet has one Limpet.
func openBookmark(path string, log *slog.Logger) (*bookmark, error) {
	m := &bookmark{log: log}
	if path == "" {
		return m, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK, 0o600)
	if err == nil {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, retry.Refuse("another Limpet delivers to this outlet, and has %s: an outlet is for one alone", path)
		}
		if err == nil {
			err = checkBookmark(f)
		}
		if err != nil {
			f.Close()
		}
	}
	if err != nil {
		log.Warn("the place where the outlet is cannot be kept: if this Limpet is killed its Listeners miss what is ordered "+
			"meanwhile; see --place", "why", err)
		return m, nil
	}
	m.file = f
	return m, nil
}

// checkBookmark spares what is not ours.
func checkBookmark(f *os.File) error {
	about, err := f.Stat()
	if err != nil {
		return err
	}
	if !about.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", f.Name())
	}
	b := make([]byte, checkpointBytes)
	_, err = f.ReadAt(b, 0)
	if _, ok := parseCheckpoint(b); about.Size() > 0 && (err != nil || !ok || about.Size() != checkpointBytes) {
		return fmt.Errorf("%s is another file, and is left alone", f.Name())
	}
	return nil
}

// read gives the checkpoint, if there is one.
func (m *bookmark) read() (checkpoint, bool) {
	if m.file == nil {
		return checkpoint{}, false
	}
	b := make([]byte, checkpointBytes)
	if _, err := m.file.ReadAt(b, 0); err != nil {
		return checkpoint{}, false
	}
	return parseCheckpoint(b)
}

// write notes a checkpoint. If that fails none must be left: an old one would have everything since delivered again.
func (m *bookmark) write(p checkpoint) {
	if m.file == nil {
		return
	}
	_, err := m.file.WriteAt(p.bytes(), 0)
	if err == nil {
		return
	}
	m.log.Warn("the place where the outlet is cannot be kept any more", "why", errors.Join(err, m.file.Truncate(0)))
	m.close()
}

// close also lets another Limpet have the file.
func (m *bookmark) close() {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}
