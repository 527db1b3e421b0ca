package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

// historyTTL is longer than a test.
const historyTTL = 10 * time.Minute

// api answers batches of the server API.
type api struct {
	node *centrifuge.Node
	key  string
}

type command struct {
	Publish       *publishRequest   `json:"publish"`
	Broadcast     *broadcastRequest `json:"broadcast"`
	Presence      *channelRequest   `json:"presence"`
	PresenceStats *channelRequest   `json:"presence_stats"`
}

type publication struct {
	Data           json.RawMessage   `json:"data"`
	Tags           map[string]string `json:"tags"`
	IdempotencyKey string            `json:"idempotency_key"`
}

type publishRequest struct {
	Channel string `json:"channel"`
	publication
}

type broadcastRequest struct {
	Channels []string `json:"channels"`
	publication
}

type channelRequest struct {
	Channel string `json:"channel"`
}

type reply map[string]any

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-API-Key") != a.key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var batch struct {
		Commands []command `json:"commands"`
	}
	if json.NewDecoder(r.Body).Decode(&batch) != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	replies := []reply{}
	for _, one := range batch.Commands {
		replies = append(replies, a.run(one))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"replies": replies})
}

func (a *api) run(one command) reply {
	switch {
	case one.Publish != nil:
		return a.publish(one.Publish.Channel, one.Publish.publication, "publish")
	case one.Broadcast != nil:
		responses := []reply{}
		for _, channel := range one.Broadcast.Channels {
			responses = append(responses, a.publish(channel, one.Broadcast.publication, "result"))
		}
		return reply{"broadcast": map[string]any{"responses": responses}}
	case one.PresenceStats != nil:
		stats, err := a.node.PresenceStats(one.PresenceStats.Channel)
		if err != nil {
			return failed(100, "internal server error")
		}
		return reply{"presence_stats": map[string]any{"num_clients": stats.NumClients, "num_users": stats.NumUsers}}
	case one.Presence != nil:
		found, err := a.node.Presence(one.Presence.Channel)
		if err != nil {
			return failed(100, "internal server error")
		}
		clients := map[string]any{}
		for id, info := range found.Presence {
			clients[id] = map[string]string{"client": id, "user": info.UserID}
		}
		return reply{"presence": map[string]any{"presence": clients}}
	default:
		return failed(104, "not found")
	}
}

func (a *api) publish(channel string, message publication, field string) reply {
	result, err := a.node.Publish(
		channel, message.Data,
		centrifuge.WithHistory(100, historyTTL),
		centrifuge.WithTags(message.Tags), centrifuge.WithIdempotencyKey(message.IdempotencyKey),
	)
	if err != nil {
		return failed(100, "internal server error")
	}
	return reply{field: map[string]any{"offset": result.Offset, "epoch": result.Epoch}}
}

func failed(code int, message string) reply {
	return reply{"error": map[string]any{"code": code, "message": message}}
}
