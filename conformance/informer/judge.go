package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	pageSize = 500
	examples = 5
)

// tally says what holds and what does not.
type tally struct{ wrong int }

func (t *tally) check(title string, faults []string, saw string) {
	if len(faults) == 0 {
		fmt.Printf("ok    %s: %s\n", title, saw)
		return
	}
	t.wrong++
	fmt.Printf("WRONG %s: %d faults: %v\n", title, len(faults), faults[:min(len(faults), examples)])
}

// judge waits until the informers have caught up, and compares what the writers did with what is stored, what
// is cached and what was told.
func judge(ctx context.Context, s Settings, client kubernetes.Interface, writers []*writer, observers []*observer) error {
	histories := map[string]*history{}
	for _, w := range writers {
		for _, h := range w.objects {
			histories[h.name] = h
		}
	}
	stored, err := list(ctx, client)
	if err != nil {
		return err
	}
	t := &tally{}
	t.check("the server has what was written", storedFaults(histories, stored), describe(writers, len(stored)))
	end := time.Now().Add(s.patience)
	for _, o := range observers {
		for time.Now().Before(end) && len(o.cacheFaults(stored))+len(o.lastFaults(histories)) > 0 {
			time.Sleep(pause)
		}
		t.check(o.name+": its cache is what a list shows", o.cacheFaults(stored), fmt.Sprintf("%d objects", len(stored)))
		if !s.relist {
			t.check(o.name+": goes on where it was", o.relistFaults(), fmt.Sprintf("%d watches resumed", o.requests.watches.Load()))
		}
		faults, once := o.toldFaults(histories)
		t.check(o.name+": told each change "+once, faults, o.describe())
		if o.relists() == 0 { // what a list shows comes in the order of names
			t.check(o.name+": told in the order of versions", o.orderFaults(), fmt.Sprintf("%d changes", len(o.order)))
		}
	}
	if t.wrong > 0 {
		return fmt.Errorf("%d checks do not hold", t.wrong)
	}
	fmt.Println("everything holds")
	return nil
}

func describe(writers []*writer, stored int) string {
	changes, deleted, interrupted, foundOut := 0, 0, 0, 0
	for _, w := range writers {
		interrupted += w.interrupted
		foundOut += w.foundOut
		for _, h := range w.objects {
			changes += len(h.changes) - 1
			for _, c := range h.changes {
				if c.deleted {
					deleted++
				}
			}
		}
	}
	return fmt.Sprintf("%d objects after %d changes, %d of them deletions; %d requests were interrupted, %d of them carried out",
		stored, changes, deleted, interrupted, foundOut)
}

// list is a fresh one, in pages.
func list(ctx context.Context, client kubernetes.Interface) (map[string]*corev1.ConfigMap, error) {
	found := map[string]*corev1.ConfigMap{}
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: byWriter}
	for {
		page, err := client.CoreV1().ConfigMaps(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for index := range page.Items {
			found[page.Items[index].Name] = &page.Items[index]
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return found, nil
		}
	}
}

func storedFaults(histories map[string]*history, stored map[string]*corev1.ConfigMap) []string {
	var faults []string
	for name, h := range histories {
		object := stored[name]
		switch {
		case h.exists() != (object != nil):
			faults = append(faults, fmt.Sprintf("%s: exists: %t, not %t", name, object != nil, h.exists()))
		case object != nil && (object.ResourceVersion != h.last().version || seqOf(object) != h.last().seq):
			faults = append(faults, fmt.Sprintf("%s: at %s seq %d, not %+v", name, object.ResourceVersion, seqOf(object), h.last()))
		}
	}
	return faults
}

// cacheFaults compares cache and index with the list. The namespace's own ConfigMaps are not ours.
func (o *observer) cacheFaults(stored map[string]*corev1.ConfigMap) []string {
	var faults []string
	cached, indexed := 0, 0
	for _, each := range o.informer.GetStore().List() {
		object := each.(*corev1.ConfigMap)
		if object.Labels[byWriter] == "" {
			continue
		}
		cached++
		if there := stored[object.Name]; there == nil {
			faults = append(faults, object.Name+" is only in the cache")
		} else if !equality.Semantic.DeepEqual(there, object) {
			faults = append(faults, fmt.Sprintf("%s is at %s in the cache and at %s in the list", object.Name, object.ResourceVersion, there.ResourceVersion))
		}
	}
	if missing := len(stored) - cached; missing > 0 {
		faults = append(faults, fmt.Sprintf("%d objects more in the list than in the cache", missing))
	}
	for _, value := range o.informer.GetIndexer().ListIndexFuncValues(byWriter) {
		if value != "" {
			of, _ := o.informer.GetIndexer().ByIndex(byWriter, value)
			indexed += len(of)
		}
	}
	if indexed != cached {
		faults = append(faults, fmt.Sprintf("%d objects in the index, %d in the cache", indexed, cached))
	}
	return faults
}

// lastFaults are objects whose handlers do not know the final state yet.
func (o *observer) lastFaults(histories map[string]*history) []string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	var faults []string
	for name, h := range histories {
		told := o.events[name]
		if len(told) == 0 || told[len(told)-1].deleted != h.last().deleted ||
			!h.last().deleted && told[len(told)-1].seq != h.last().seq {
			faults = append(faults, name+" has another final state")
		}
	}
	return faults
}

// toldFaults compares the calls of the handlers with what happened. Whoever had to list again may have missed
// states in between, but never sees one twice, or an older one after a newer one, or not the last.
func (o *observer) toldFaults(histories map[string]*history) (faults []string, once string) {
	faults = o.lastFaults(histories)
	once = "exactly once"
	if o.relists() > 0 {
		once = "at most once, and the last state"
	}
	for name, h := range histories {
		place := -1
		for _, event := range o.events[name] {
			if event.repeated && o.relists() > 0 {
				continue
			}
			next := h.find(event, place+1)
			switch {
			case next < 0 && h.find(event, 0) >= 0:
				faults = append(faults, fmt.Sprintf("%s: told twice or too late: %+v", name, event))
				continue
			case next < 0:
				faults = append(faults, fmt.Sprintf("%s: told what never was: %+v", name, event))
				continue
			case next > place+1 && o.relists() == 0:
				faults = append(faults, fmt.Sprintf("%s: not told %+v", name, h.changes[place+1:next]))
			}
			place = next
		}
	}
	return faults, once
}

// find is the place of the change that the event is about, at or after a place. A deletion shows the object as
// it was last, at the version of the deletion, which only the watch tells; one that was concluded from a list
// shows the object as the informer knew it.
func (h *history) find(event seen, from int) int {
	for index := from; index < len(h.changes); index++ {
		c := h.changes[index]
		if event.deleted != c.deleted {
			continue
		}
		switch {
		case event.unknown:
			return index
		case !c.deleted && event.seq == c.seq && strconv.FormatInt(event.version, 10) == c.version:
			return index
		case c.deleted && event.seq == h.changes[index-1].seq:
			return index
		}
	}
	return -1
}

func (o *observer) relistFaults() []string {
	if o.relists() == 0 {
		return nil
	}
	return []string{fmt.Sprintf("listed again %d times", o.relists())}
}

func (o *observer) orderFaults() []string {
	var faults []string
	for index := 1; index < len(o.order); index++ {
		if o.order[index] <= o.order[index-1] {
			faults = append(faults, fmt.Sprintf("%d after %d", o.order[index], o.order[index-1]))
		}
	}
	return faults
}

func (o *observer) describe() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return fmt.Sprintf("%d calls of handlers; %d lists, %d lists as watches, %d watches resumed",
		o.count, o.requests.lists.Load(), o.requests.watchLists.Load(), o.requests.watches.Load())
}
