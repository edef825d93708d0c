// Package errno explains error numbers: what the system calls them, and what they mean when KBUS gives them. The exit
// status of every kbus command is such a number, so `kbus errno $?` tells what went wrong.
package errno

import (
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"
)

// Entry is one error number.
type Entry struct {
	Number   int
	Name     string    // the usual one, where a number has several: EAGAIN and not EWOULDBLOCK
	Text     string    // what the system says, in the words of strerror
	Meanings []Meaning // what it means from KBUS; none when KBUS does not give it
}

// Meaning is one thing that an error number can mean.
type Meaning struct {
	When string // the operation, for instance "Bind"
	What string // what is wrong, and what to do where that helps
}

// last is beyond every number that Linux has.
const last = 134

// aliases are the second names of numbers that have one.
var aliases = map[string]string{"EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "EOPNOTSUPP": "ENOTSUP"}

// unnamed are numbers for which Go has no text.
var unnamed = map[int]string{133: "Memory page has hardware error"}

// All lists every error number that the system knows, in order.
func All() []Entry {
	var all []Entry
	for n := 1; n < last; n++ {
		if e, known := ByNumber(n); known {
			all = append(all, e)
		}
	}
	return all
}

// ByNumber finds a number, or reports false.
func ByNumber(n int) (Entry, bool) {
	// The conversion of a huge number would wrap round into one that exists.
	if n < 1 || n >= last {
		return Entry{}, false
	}
	e := syscall.Errno(n)
	name := unix.ErrnoName(e)
	if name == "" {
		return Entry{}, false
	}
	text, odd := unnamed[n]
	if !odd {
		text = capital(e.Error())
	}
	return Entry{Number: n, Name: name, Text: text, Meanings: meanings[e]}, true
}

// ByName finds a name or a second name, or reports false.
func ByName(name string) (Entry, bool) {
	if usual, isAlias := aliases[name]; isAlias {
		name = usual
	}
	for _, e := range All() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Find finds what a person typed, a number or a name, or reports false.
func Find(typed string) (Entry, bool) {
	n, isNumber := parseNumber(typed)
	switch {
	case !isNumber:
		return ByName(typed)
	case n < 0 || n >= last:
		return Entry{}, false // and not the one that it would be if it were cut to an int
	}
	return ByNumber(int(n))
}

// parseNumber reads a number as a person writes it, decimal or, after 0x, hexadecimal. It reports false for anything
// else, which may then be a name.
func parseNumber(text string) (int64, bool) {
	base, digits := 10, text
	if hex, isHex := strings.CutPrefix(strings.ToLower(text), "0x"); isHex {
		base, digits = 16, hex
	}
	n, err := strconv.ParseInt(digits, base, 64)
	return n, err == nil
}

// capital gives strerror's spelling: Go's begins with a small letter, and is otherwise the same.
func capital(text string) string {
	r := []rune(text)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}
