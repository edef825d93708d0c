#!/bin/sh
# go.bug.st/serial 1.8.0: a device that is silent for a hundred time limits is not heard again.
#
# Guess, written down before the first run: with SetReadTimeout, a bufio.Scanner over the port gives the lines of a device that is silent
# for long, when they come.
# Seen: a Read whose time is over returns 0 bytes and no error, though its description says that it "blocks until (at least) one byte is
# received from the serial port or an error occurs". After a hundred of these in a row, bufio gives up: Scan is false for good, its error
# is "multiple Read calls return no data or error", and so it is with ReadString. The lines that follow are not read. With a limit of one
# second that is the first silence of 100 seconds, which no short trial shows; here the limit is 10 ms.
#
# For a Sender behind a serial port: read lines without SetReadTimeout, and close the port to end the reading; or wrap the port in a reader
# that asks again after 0 bytes.
#
# Needs Go. Uses a pseudo-terminal, which stands for the serial port; opens no socket.
. "$(dirname "$0")/begin.sh"
go_program go.bug.st/serial@v1.8.0 golang.org/x/sys@v0.33.0 <<'E'
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A patient reader asks again.
type patient struct{ io.Reader }

func (p patient) Read(b []byte) (int, error) {
	for {
		if n, err := p.Reader.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
}

func run(what string, limit time.Duration, wrap func(io.Reader) io.Reader) {
	device, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(err)
	defer device.Close()
	check(unix.IoctlSetPointerInt(int(device.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(device.Fd()), unix.TIOCGPTN)
	check(err)
	port, err := serial.Open(fmt.Sprint("/dev/pts/", n), &serial.Mode{BaudRate: 115200})
	check(err)
	check(port.SetReadTimeout(limit))
	s := bufio.NewScanner(wrap(port))
	lines := make(chan string)
	go func() {
		for s.Scan() {
			lines <- s.Text()
		}
		close(lines)
	}()
	say := func(line string) {
		_, err := io.WriteString(device, line+"\n")
		check(err)
	}
	say("20.5")
	fmt.Print(what, ": ", <-lines)
	time.Sleep(3 * time.Second)
	say("21.7")
	if line, ok := <-lines; ok {
		fmt.Println(",", line)
	} else {
		fmt.Println(", no more:", s.Err())
	}
	check(port.Close())
}

func main() {
	as := func(r io.Reader) io.Reader { return r }
	run("no limit", serial.NoTimeout, as)
	run("10 ms", 10*time.Millisecond, as)
	run("10 ms, asked again", 10*time.Millisecond, func(r io.Reader) io.Reader { return patient{r} })
}
E
timeout 60 ./run >seen
as_found <<'E'
no limit: 20.5, 21.7
10 ms: 20.5, no more: multiple Read calls return no data or error
10 ms, asked again: 20.5, 21.7
E
