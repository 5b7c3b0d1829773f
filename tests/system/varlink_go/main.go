// A client of io.nuncio made by another project's Varlink library and its
// generator from our interface text: sends, watches until the end, is refused.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/varlink/go/varlink"
	"github.com/varlink/go/varlink/idl"
	"ionuncio"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	c, err := varlink.NewConnection(ctx, os.Args[1])
	check(err)
	defer c.Close()

	subject, text := "from Go", "hello"
	id, _, _, _, err := ionuncio.Send().Call(ctx, c, []string{"me@example.org"}, nil, nil, &subject, &text,
		nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
	check(err)
	fmt.Println("sent as", id)

	receive, err := ionuncio.Watch().Send(ctx, c, varlink.More, &id)
	check(err)
	state := ""
	for {
		event, flags, err := receive(ctx)
		check(err)
		if event != nil {
			state = event.To
		}
		if flags&varlink.Continues == 0 {
			break
		}
	}
	fmt.Println("state", state)

	_, _, _, _, err = ionuncio.Send().Call(ctx, c, []string{"nobody"}, nil, nil, nil, nil,
		nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
	refused, ok := err.(*ionuncio.BadRecipient)
	if !ok {
		check(fmt.Errorf("expected BadRecipient, got %v", err))
	}
	fmt.Println("refused:", refused.Field, refused.Recipient)

	description, err := c.GetInterfaceDescription(ctx, "io.nuncio")
	check(err)
	parsed, err := idl.New(description)
	check(err)
	fmt.Println("methods:", len(parsed.Methods))
}
