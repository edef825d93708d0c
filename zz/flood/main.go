// flood DIR NAME SECONDS SIZE: announces as fast as it can.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"kbus.example/kbus"
)

func main() {
	ctx := context.Background()
	sec, _ := strconv.Atoi(os.Args[3])
	size, _ := strconv.Atoi(os.Args[4])
	k, err := kbus.Open(ctx, 0, kbus.Dir(os.Args[1]))
	if err != nil { panic(err) }
	p := k.Pipe()
	m := kbus.Announcement(os.Args[2], make([]byte, size))
	n := 0
	for end := time.Now().Add(time.Duration(sec) * time.Second); time.Now().Before(end); n++ { p.Send(ctx, m) }
	p.Flush(ctx)
	fmt.Println("flooded", n)
}
