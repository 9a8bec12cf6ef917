package main

import (
	"slices"
	"strings"
	"testing"
)

// One object: created, changed, deleted and created again.
func lives() map[string]*history {
	return map[string]*history{"a": {"a", []change{
		{seq: 0, version: "10"}, {seq: 1, version: "20"}, {seq: 2, deleted: true}, {seq: 3, version: "40"},
	}}}
}

var right = []seen{
	{seq: 0, version: 10, initial: true}, {seq: 1, version: 20}, {seq: 1, version: 30, deleted: true}, {seq: 3, version: 40},
}

func told(relists int64, events ...seen) *observer {
	o := &observer{events: map[string][]seen{"a": events}}
	o.requests.watchLists.Store(1 + relists)
	return o
}

func TestWhatIsToldOnceIsRight(t *testing.T) {
	if faults, _ := told(0, right...).toldFaults(lives()); len(faults) > 0 {
		t.Fatal(faults)
	}
}

func TestFaultsAreFound(t *testing.T) {
	cases := map[string][]seen{
		"told twice or too late": slices.Insert(slices.Clone(right), 2, right[1]),
		"told what never was":    slices.Insert(slices.Clone(right), 1, seen{seq: 1, version: 21}),
		"not told":               slices.Delete(slices.Clone(right), 1, 2),
		"another final state":    right[:3],
	}
	for want, events := range cases {
		faults, _ := told(0, events...).toldFaults(lives())
		if !strings.Contains(strings.Join(faults, "; "), want) {
			t.Errorf("%q is not among %q", want, faults)
		}
	}
}

func TestAListMayHideStatesButNeverShowsAnOlderOne(t *testing.T) {
	concluded := []seen{right[0], {seq: 0, version: 10, deleted: true, unknown: true}, right[3]}
	for _, events := range [][]seen{{right[0], right[3]}, concluded, {right[0], {seq: 0, version: 10, repeated: true}, right[3]}} {
		if faults, _ := told(1, events...).toldFaults(lives()); len(faults) > 0 {
			t.Error(faults)
		}
	}
	for _, events := range [][]seen{{right[3], right[0], right[3]}, {right[0], right[3], right[3]}} {
		if faults, _ := told(1, events...).toldFaults(lives()); len(faults) == 0 {
			t.Errorf("%+v passes", events)
		}
	}
}
