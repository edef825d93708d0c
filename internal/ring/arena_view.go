package ring

import (
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ArenaView is an arena as a client sees it. It stays mapped until everybody has closed it who uses it.
type ArenaView struct {
	mem   []byte
	users atomic.Int32
}

// MapArena maps the arena that the daemon has sent. The descriptor may be closed afterwards.
func MapArena(fd int) (*ArenaView, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if st.Size < LeastArena || st.Size > MostArena {
		return nil, fmt.Errorf("log of %d bytes: not one that this library knows", st.Size)
	}
	mem, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	v := &ArenaView{mem: mem}
	v.Use()
	return v, nil
}

// Body is n bytes of the arena.
func (v *ArenaView) Body(at uint64, n int) ([]byte, error) {
	if at > uint64(len(v.mem)) || uint64(n) > uint64(len(v.mem))-at {
		return nil, ErrCorrupt
	}
	return v.mem[at : at+uint64(n) : at+uint64(n)], nil
}

// Use adds a user, who must Close the view.
func (v *ArenaView) Use() { v.users.Add(1) }

// Close takes a user away, and unmaps the arena with the last one.
func (v *ArenaView) Close() {
	if v.users.Add(-1) == 0 {
		unix.Munmap(v.mem)
	}
}
