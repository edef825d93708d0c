package driver

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// answer is the words of one answer, taken one after the other. What is not as it should be is noticed at the end.
type answer struct {
	words []string
	bad   bool
}

func (a *answer) next() string {
	if len(a.words) == 0 {
		a.bad = true
		return ""
	}
	word := a.words[0]
	a.words = a.words[1:]
	return word
}

func (a *answer) number() uint64 {
	n, err := strconv.ParseUint(a.next(), 10, 64)
	a.bad = a.bad || err != nil
	return n
}

func (a *answer) word() uint32 {
	n := a.number()
	a.bad = a.bad || n > 0xFFFFFFFF
	return uint32(n)
}

func (a *answer) yes() bool {
	n := a.number()
	a.bad = a.bad || n > 1
	return n == 1
}

func (a *answer) bytes() []byte {
	text := a.next()
	if text == "-" {
		return nil
	}
	b, err := hex.DecodeString(text)
	a.bad = a.bad || err != nil || len(b) == 0 || text != strings.ToLower(text)
	return b
}

// errno is the first word. With one that is not 0 an answer may end, or go on as it would otherwise.
func (a *answer) errno() syscall.Errno {
	n := a.number()
	a.bad = a.bad || n > 4095
	return syscall.Errno(n)
}

// empty takes the rest of an answer that says nothing: numbers and empty bytes. Any other word means that the driver has
// not understood the command.
func (a *answer) empty() {
	for len(a.words) > 0 {
		if a.words[0] == "-" {
			a.words = a.words[1:]
			continue
		}
		a.number()
	}
}

// hexadecimal is how bytes are written.
func hexadecimal(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return hex.EncodeToString(b)
}

// request is a command of words and numbers.
func request(words ...any) string { return strings.TrimSuffix(fmt.Sprintln(words...), "\n") }
