// replier DIR NAME [DELAYms]: answers, and binds again when it has lost the name.
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
	delay := 0
	if len(os.Args) > 3 { delay, _ = strconv.Atoi(os.Args[3]) }
	for {
		k, err := kbus.Open(ctx, 0, kbus.Dir(os.Args[1]))
		if err != nil { time.Sleep(50 * time.Millisecond); continue }
		k.Queue().SetLimit(ctx, 100000)
		go func() {
			for {
				err := k.Bind(ctx, os.Args[2], kbus.Replier)
				if err == nil { fmt.Println("bound"); }
				for err == nil {
					time.Sleep(200 * time.Millisecond)
					w, e := k.File().Replier(ctx, os.Args[2])
					if e != nil { return }
					if w != k.ID() { fmt.Println("unbound"); break }
				}
				if _, e := k.File().Replier(ctx, os.Args[2]); e != nil { return }
				time.Sleep(50 * time.Millisecond)
			}
		}()
		for {
			m, err := k.Receive(ctx)
			if err != nil { fmt.Println(err); break }
			if !m.WantsUsToReply() { continue }
			if delay > 0 { time.Sleep(time.Duration(delay) * time.Millisecond) }
			r, err := m.Reply(m.Data)
			if err == nil { k.Send(ctx, r) }
		}
		k.Close()
	}
}
