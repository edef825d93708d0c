// Package keep is what `kbus keep` remembers: the last value of each name, in memory and in a file. It knows nothing of buses.
package keep

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A keeper is asked for years, by everybody, so what it remembers has a limit in names and in bytes. A name that is known
// never loses its place to a new one: it is the new one that is refused, and who asks for it is told so. What is too large for
// the limit is not kept, and neither is the value before it, which is the last no more.

// Limits are how much is remembered.
type Limits struct {
	Names int
	Bytes int64         // of names and data
	Age   time.Duration // of a value that is still good; 0: any
}

// Value is the last of a name.
type Value struct {
	Data []byte // never changed, so that it can be written while the next comes
	At   time.Time
}

// Memory is the last values. Not safe for concurrent use.
type Memory struct {
	limits  Limits
	values  map[string]Value
	bytes   int64
	refused int // values that were not kept
}

// New is a memory that knows nothing.
func New(l Limits) *Memory { return &Memory{limits: l, values: map[string]Value{}} }

func cost(name string, v Value) int64 { return int64(len(name) + len(v.Data)) }

// Remember makes a value the last one of its name; now is the time, so that what is too old makes room. It fails when there
// is no room: then nothing is known of the name.
func (m *Memory) Remember(name string, v Value, now time.Time) error {
	err := m.remember(name, v)
	if err != nil && m.expire(now) > 0 {
		err = m.remember(name, v)
	}
	if err != nil {
		m.refused++
	}
	return err
}

func (m *Memory) remember(name string, v Value) error {
	m.forget(name)
	switch {
	case len(m.values) >= m.limits.Names:
		return fmt.Errorf("%d names are remembered already, and no more may be", len(m.values))
	case m.bytes+cost(name, v) > m.limits.Bytes:
		return fmt.Errorf("%d bytes of %d are taken, which leaves no room for %d", m.bytes, m.limits.Bytes, cost(name, v))
	}
	m.values[name] = v
	m.bytes += cost(name, v)
	return nil
}

func (m *Memory) forget(name string) {
	if old, known := m.values[name]; known {
		m.bytes -= cost(name, old)
		delete(m.values, name)
	}
}

// expire forgets what is too old, and tells how many values that were.
func (m *Memory) expire(now time.Time) (expired int) {
	for name, v := range m.values {
		if m.tooOld(v, now) {
			m.forget(name)
			expired++
		}
	}
	return expired
}

func (m *Memory) tooOld(v Value, now time.Time) bool {
	return m.limits.Age > 0 && now.Sub(v.At) > m.limits.Age
}

// Recall gives the last value of a name, or an error that says why there is none.
func (m *Memory) Recall(name string, now time.Time) (Value, error) {
	v, known := m.values[name]
	switch {
	case known && m.tooOld(v, now):
		return Value{}, fmt.Errorf("the last value of %s is %v old, and good for %v", name, now.Sub(v.At).Round(time.Second), m.limits.Age)
	case known:
		return v, nil
	case m.refused > 0:
		return Value{}, fmt.Errorf("nothing is known of %s; %d values were not kept, for want of room", name, m.refused)
	}
	return Value{}, fmt.Errorf("nothing is known of %s: no value has come yet", name)
}

// Entry is a name with its value.
type Entry struct {
	Name string
	Value
}

// All gives what is known, by name.
func (m *Memory) All() []Entry {
	all := make([]Entry, 0, len(m.values))
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		all = append(all, Entry{name, m.values[name]})
	}
	return all
}
