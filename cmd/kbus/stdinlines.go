package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// With --lines each line of standard input is data, without its line break. The last line need not end in one.

// eachLine has each line used, and ends at the first that fails, which it names. Of a line that is longer than most it
// takes one byte more, for the bus to refuse.
func (l *line) eachLine(most uint32, use func(data []byte) error) error {
	in := bufio.NewReaderSize(l.in, 64<<10)
	for number := 1; ; number++ {
		data, err := readLine(in, int(most)+1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = use(data)
		}
		if err != nil {
			return &lineError{number, plainPathError(err)}
		}
	}
}

// readLine gives io.EOF when there is no more line, not even one without an end.
func readLine(in *bufio.Reader, most int) ([]byte, error) {
	var data []byte
	for {
		piece, err := in.ReadSlice('\n')
		data = append(data, piece[:min(len(piece), max(0, most+1-len(data)))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(data) <= most:
		case errors.Is(err, bufio.ErrBufferFull):
			return data, nil // what follows does not matter: this is too long
		case errors.Is(err, io.EOF) && len(data) > 0:
			return data, nil
		default:
			return bytes.TrimSuffix(data, []byte("\n")), err
		}
	}
}

// lineError says in which line it was.
type lineError struct {
	number int
	cause  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.number, e.cause) }
func (e *lineError) Unwrap() error { return e.cause }
