package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"kbus.example/kbus"
)

// Data is given as text, as `-` for standard input, or as `@file`. Whatever it is, it is sent to the byte.

// dataHelp is for the help of the commands that take data.
const dataHelp = `DATA is text, or - for what comes on standard input, or @FILE for what is in FILE.
Without it the message has no data. It may begin with a dash, as -5 does; if it
begins with two, put -- before it.`

// data reads at most one byte more than most. More than most is too much anyway; there is no need to have it all in memory
// for that, nor to wait for its end.
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
	if err == nil && len(data) > int(most) {
		return nil, fmt.Errorf("%w: the data alone has more than %d bytes, the most for a message in all, settings limits.message-bytes and limits.message-bytes-ceiling",
			kbus.ErrMessageTooLong, most)
	}
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
