package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Data is given as text, as `-` for standard input, or as `@file`. Whatever it is, it is sent to the byte.

// dataHelp is for the help of the commands that take data.
const dataHelp = `DATA is text, or - for what comes on standard input, or @FILE for what is in FILE.
Without it the message has no data.`

// data reads at most one byte more than most. More than most is too much anyway, and the bus will say so; there is no
// need to have it all in memory for that.
func (l *line) data(args []string, most uint32) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if args[0] == "-" {
		return readAtMost(l.in, most)
	}
	path, isFile := strings.CutPrefix(args[0], "@")
	if !isFile {
		return []byte(args[0]), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	defer f.Close()
	return readAtMost(f, most)
}

func readAtMost(r io.Reader, most uint32) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	return data, plainPathError(err)
}

// plainPathError leaves out which system call it was.
func plainPathError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}
