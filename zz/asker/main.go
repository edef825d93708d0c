// asker DIR NAME SECONDS WINDOW SIZE: sends Requests, and counts answers.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"kbus.example/kbus"
)

func main() {
	dir, name := os.Args[1], os.Args[2]
	sec, _ := strconv.Atoi(os.Args[3])
	window, _ := strconv.Atoi(os.Args[4])
	size, _ := strconv.Atoi(os.Args[5])
	ctx := context.Background()
	k, err := kbus.Open(ctx, 0, kbus.Dir(dir))
	if err != nil { fmt.Println("open", err); os.Exit(1) }
	k.Queue().SetLimit(ctx, uint32(window+10))
	var mu sync.Mutex
	open := map[kbus.ID]time.Time{}
	accepted, replies, refused, double := 0, 0, map[string]int{}, 0
	statuses := map[string]int{}
	var slow time.Duration
	done := make(chan bool)
	gone := false
	go func() {
		for {
			m, err := k.Receive(ctx)
			if err != nil {
				fmt.Println("receive:", err)
				mu.Lock(); gone = true; mu.Unlock()
				close(done); return
			}
			mu.Lock()
			at, ok := open[m.InReplyTo]
			if !ok { double++; if double < 5 { fmt.Println("unexpected", m) } } else {
				delete(open, m.InReplyTo)
				if m.Kind() == kbus.ReplyKind { replies++ } else { statuses[m.Name]++; if d := time.Since(at); d > slow { slow = d } }
			}
			mu.Unlock()
		}
	}()
	end := time.Now().Add(time.Duration(sec) * time.Second)
	data := make([]byte, size)
	for time.Now().Before(end) {
		mu.Lock()
		n, g := len(open), gone
		if g { mu.Unlock(); break }
		if n >= window { mu.Unlock(); time.Sleep(time.Millisecond); continue }
		s, err := k.Send(ctx, kbus.Request(name, data))
		if err == nil { accepted++; open[s.ID] = time.Now() }
		mu.Unlock()
		if err != nil { var c kbus.Condition; t := err.Error(); if errors.As(err, &c) { t = c.Error() }; refused[t]++; time.Sleep(5*time.Millisecond) }
	}
	for i := 0; i < 300; i++ {
		mu.Lock(); n := len(open); g := gone; mu.Unlock()
		if n == 0 || g { break }
		time.Sleep(100 * time.Millisecond)
	}
	mu.Lock()
	fmt.Printf("accepted %d replies %d statuses %v refused %v unexpected %d OPEN %d slowest status %v\n", accepted, replies, statuses, refused, double, len(open), slow)
	if len(open) > 0 { i := 0; for id, at := range open { fmt.Println("  open", id, time.Since(at)); if i++; i > 3 { break } }; os.Exit(3) }
}
