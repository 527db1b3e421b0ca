// Calls the server under test through the official Go SDK and prints the answers as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/gocent/v3"
)

func main() {
	client := newClient(os.Getenv("CENTRIPUSH_TEST_KEY"))
	ctx := context.Background()
	answers := map[string]any{}
	keep := func(name string, answer any, err error) {
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		answers[name] = answer
	}

	published, err := client.Publish(ctx, "hist:a", []byte(`{"x":1}`))
	keep("publish", published, err)
	broadcast, err := client.Broadcast(ctx, []string{"hist:a", "nope:b", "plain:c"}, []byte(`{"x":1}`))
	keep("broadcast", broadcast, err)
	history, err := client.History(ctx, "hist:a", gocent.WithLimit(1))
	keep("history", history, err)
	stats, err := client.PresenceStats(ctx, "hist:a")
	keep("presence_stats", stats, err)
	info, err := client.Info(ctx)
	keep("info", info, err)
	replies, err := client.SendPipe(ctx, newPipe(client))
	keep("pipe", replies, err)

	_, err = client.Publish(ctx, "nope:a", []byte(`{}`))
	var apiError *gocent.Error
	if !errors.As(err, &apiError) {
		log.Fatalf("publish to an unknown channel: %v", err)
	}
	answers["error"] = apiError

	_, err = newClient("another-key").Publish(ctx, "hist:a", []byte(`{}`))
	var status gocent.ErrStatusCode
	if !errors.As(err, &status) {
		log.Fatalf("publish with another key: %v", err)
	}
	answers["status_with_another_key"] = status.Code

	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func newClient(key string) *gocent.Client {
	// The SDK's default of one second is too short for a busy machine.
	httpClient := &http.Client{Timeout: 10 * time.Second}
	return gocent.New(gocent.Config{Addr: os.Getenv("CENTRIPUSH_TEST_API"), Key: key, HTTPClient: httpClient})
}

func newPipe(client *gocent.Client) *gocent.Pipe {
	pipe := client.Pipe()
	for _, err := range []error{
		pipe.AddPublish("hist:a", []byte(`{"x":1}`)),
		pipe.AddPublish("nope:a", []byte(`{"x":1}`)),
		pipe.AddHistory("hist:a", gocent.WithLimit(1)),
		pipe.AddBroadcast([]string{"hist:a", "nope:b", "plain:c"}, []byte(`{"x":1}`)),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	return pipe
}
