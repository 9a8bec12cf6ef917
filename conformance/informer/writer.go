package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	attempt   = 30 * time.Second       // for one request
	pause     = 100 * time.Millisecond // before asking a server again that does not answer
	deletions = 0.3                    // of the changes to what exists
)

// change is what the server has done, whether its answer came or was found out later. A deletion that was
// found out later has no version.
type change struct {
	seq     int
	version string
	deleted bool
}

// history is what happened to one object, in order. An object is only written by one writer.
type history struct {
	name    string
	changes []change
}

func (h *history) last() change { return h.changes[len(h.changes)-1] }
func (h *history) exists() bool { return !h.last().deleted }
func (h *history) add(c change) { h.changes = append(h.changes, c) }
func (h *history) nextSeq() int { return h.last().seq + 1 }

// writer changes its own objects, one after the other, and never gives up on one before it knows what
// became of it.
type writer struct {
	number      int
	maps        typed.ConfigMapInterface
	objects     []*history
	interrupted int // requests without an answer
	foundOut    int // of these, the ones that had been carried out
}

// seed makes the namespace and all objects in their first state.
func seed(ctx context.Context, s Settings, client kubernetes.Interface) ([]*writer, error) {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	begin := time.Now()
	writers := make([]*writer, s.writers)
	failures := make([]error, s.writers)
	var group sync.WaitGroup
	for number := range writers {
		w := &writer{number: number, maps: client.CoreV1().ConfigMaps(namespace)}
		writers[number] = w
		group.Go(func() { failures[number] = w.seed(ctx, s) })
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	fmt.Printf("%d objects created in %.1f s\n", s.objects, time.Since(begin).Seconds())
	return writers, nil
}

func (w *writer) seed(ctx context.Context, s Settings) error {
	for n := w.number; n < s.objects; n += s.writers {
		name := fmt.Sprintf("object-%05d", n)
		created, err := w.maps.Create(ctx, w.object(name, 0), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		w.objects = append(w.objects, &history{name, []change{{version: created.ResourceVersion}}})
	}
	return nil
}

func (w *writer) object(name string, seq int) *corev1.ConfigMap {
	labels := map[string]string{byWriter: strconv.Itoa(w.number)}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Data:       map[string]string{sequence: strconv.Itoa(seq)},
	}
}

// start lets all writers write until the context ends; the group is done when each knows what it did.
func start(ctx context.Context, writers []*writer, rate int) *sync.WaitGroup {
	var group sync.WaitGroup
	interval := time.Second * time.Duration(len(writers)) / time.Duration(rate)
	for _, w := range writers {
		group.Go(func() {
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for ctx.Err() == nil {
				w.write(w.objects[rand.IntN(len(w.objects))])
				<-tick.C
			}
		})
	}
	return &group
}

// write makes one change. A request that gets no answer is not repeated: what became of it is looked up.
func (w *writer) write(h *history) {
	ctx, cancel := context.WithTimeout(context.Background(), attempt)
	defer cancel()
	wanted := change{seq: h.nextSeq()}
	var got *corev1.ConfigMap
	var err error
	switch {
	case !h.exists():
		got, err = w.maps.Create(ctx, w.object(h.name, wanted.seq), metav1.CreateOptions{})
	case rand.Float64() < deletions:
		wanted.deleted = true
		err = w.maps.Delete(ctx, h.name, metav1.DeleteOptions{})
	default:
		got, err = w.maps.Update(ctx, w.object(h.name, wanted.seq), metav1.UpdateOptions{})
	}
	if err != nil {
		w.interrupted++
		w.findOut(h, wanted)
		return
	}
	if got != nil {
		wanted.version = got.ResourceVersion
	}
	h.add(wanted)
}

// findOut asks until the server says what there is, and adds the change if it was made.
func (w *writer) findOut(h *history, wanted change) {
	for ; ; time.Sleep(pause) {
		ctx, cancel := context.WithTimeout(context.Background(), attempt)
		got, err := w.maps.Get(ctx, h.name, metav1.GetOptions{})
		cancel()
		switch {
		case err == nil && seqOf(got) == wanted.seq:
			wanted.version = got.ResourceVersion
		case errors.IsNotFound(err) && wanted.deleted:
		case err == nil || errors.IsNotFound(err):
			return // it was not made
		default:
			continue
		}
		w.foundOut++
		h.add(wanted)
		return
	}
}

func seqOf(object *corev1.ConfigMap) int {
	seq, err := strconv.Atoi(object.Data[sequence])
	if err != nil {
		return -1
	}
	return seq
}
