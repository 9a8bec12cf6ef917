package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// seen is one call of a handler. The informer's own repetitions after a list (the same version again) are
// marked, and so is a deletion that the informer only concluded from a list.
type seen struct {
	seq      int
	version  int64
	deleted  bool
	initial  bool
	repeated bool
	unknown  bool
}

// observer is one shared informer with a handler that keeps everything it is told.
type observer struct {
	name     string
	informer cache.SharedIndexInformer
	requests counter

	mutex  sync.Mutex
	events map[string][]seen
	order  []int64 // versions in the order in which they came, without those of lists
	count  int
}

// counter counts what an informer asks the server for.
type counter struct{ lists, watchLists, watches atomic.Int64 }

func (c *counter) transports(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		query := request.URL.Query()
		answer, err := next.RoundTrip(request)
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		switch {
		case query.Get("sendInitialEvents") == "true":
			c.watchLists.Add(1)
		case query.Get("watch") != "":
			c.watches.Add(1)
		default:
			c.lists.Add(1)
		}
		return answer, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// observe starts the informers and waits until each has everything.
func observe(ctx context.Context, s Settings) ([]*observer, error) {
	observers := make([]*observer, s.informers)
	for n := range observers {
		o, err := newObserver(s, n)
		if err != nil {
			return nil, err
		}
		observers[n] = o
		go o.informer.RunWithContext(ctx)
	}
	begin := time.Now()
	limit, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for _, o := range observers {
		if !cache.WaitForCacheSync(limit.Done(), o.informer.HasSynced) {
			return nil, fmt.Errorf("%s has not synchronised within %s", o.name, s.patience)
		}
	}
	fmt.Printf("%d informers synchronised in %.1f s\n", len(observers), time.Since(begin).Seconds())
	return observers, nil
}

func newObserver(s Settings, n int) (*observer, error) {
	content, form := rest.ContentConfig{}, "JSON"
	if n%2 == 1 {
		content = rest.ContentConfig{ContentType: protobuf, AcceptContentTypes: protobuf}
		form = "protobuf"
	}
	o := &observer{name: fmt.Sprintf("informer %d (%s)", n, form), events: map[string][]seen{}}
	client, err := connect(s, content, o.requests.transports)
	if err != nil {
		return nil, err
	}
	o.informer = v1.NewConfigMapInformer(client, namespace, 0, cache.Indexers{byWriter: indexByWriter})
	_, err = o.informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(object any, initial bool) { o.keep(object, seen{initial: initial}) },
		UpdateFunc: o.updated,
		DeleteFunc: o.removed,
	})
	return o, err
}

func indexByWriter(object any) ([]string, error) {
	return []string{object.(*corev1.ConfigMap).Labels[byWriter]}, nil
}

func (o *observer) updated(before, after any) {
	same := before.(*corev1.ConfigMap).ResourceVersion == after.(*corev1.ConfigMap).ResourceVersion
	o.keep(after, seen{repeated: same})
}

func (o *observer) removed(object any) {
	tombstone, unknown := object.(cache.DeletedFinalStateUnknown)
	if unknown {
		object = tombstone.Obj
	}
	o.keep(object, seen{deleted: true, unknown: unknown})
}

// keep adds what the object says to what the handler's kind says.
func (o *observer) keep(object any, event seen) {
	configMap := object.(*corev1.ConfigMap)
	event.seq = seqOf(configMap)
	event.version, _ = strconv.ParseInt(configMap.ResourceVersion, 10, 64) // not a number: 0, out of order
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.count++
	o.events[configMap.Name] = append(o.events[configMap.Name], event)
	if !event.initial && !event.unknown {
		o.order = append(o.order, event.version)
	}
}

// relists is how often it had to begin anew after its first synchronisation.
func (o *observer) relists() int64 {
	return o.requests.lists.Load() + o.requests.watchLists.Load() - 1
}
