/* The search: `names` (names.js) has [name, place, kind, first sentence, PyTorch's words] of everything public. */
(function () {
    "use strict";
    var box = document.getElementById("search"), found = document.getElementById("found");
    var chosen = 0;

    /* How well a row answers, less is better; -1 where it does not. */
    function rank(row, words) {
        var name = row[0].toLowerCase(), rest = (row[3] + " " + row[4]).toLowerCase();
        var score = name.length / 100;
        for (var i = 0; i < words.length; i++) {
            var at = name.indexOf(words[i]);
            if (name === words[i] || name === "sp_" + words[i] || name === "sp_nn_" + words[i]) score += 0;
            else if (at >= 0) score += at <= 3 ? 1 : 2;
            else if (row[4].toLowerCase().indexOf(words[i]) >= 0) score += 3;
            else if (rest.indexOf(words[i]) >= 0) score += 4;
            else return -1;
        }
        return score;
    }

    function answers(text) {
        /* torch's dots and brackets are no letters of a name: nn.Conv2d( finds sp_nn_conv2d. */
        var words = text.toLowerCase().split(/[^a-z0-9_]+/).filter(function (word) {
            return word && word !== "torch" && word !== "f";
        });
        if (!words.length) return [];
        return names.map(function (row) { return [rank(row, words), row]; })
            .filter(function (pair) { return pair[0] >= 0; })
            .sort(function (a, b) { return a[0] - b[0]; })
            .slice(0, 40).map(function (pair) { return pair[1]; });
    }

    function link(row, i) {
        var a = document.createElement("a"), name = document.createElement("b"), words = document.createElement("span");
        a.href = row[1];
        a.className = i === chosen ? "chosen" : "";
        name.textContent = row[0];
        words.textContent = row[3] || row[4];
        a.appendChild(name);
        a.appendChild(words);
        return a;
    }

    function show() {
        var rows = answers(box.value);
        found.textContent = "";
        chosen = Math.max(0, Math.min(chosen, rows.length - 1));
        rows.forEach(function (row, i) { found.appendChild(link(row, i)); });
        if (box.value.trim() && !rows.length) found.textContent = "Nothing has that name.";
        found.style.display = box.value.trim() ? "block" : "none";
        if (found.children[chosen]) found.children[chosen].scrollIntoView({block: "nearest"});
    }

    box.addEventListener("input", function () { chosen = 0; show(); });
    box.addEventListener("keydown", function (event) {
        if (event.key === "ArrowDown") chosen++;
        else if (event.key === "ArrowUp") chosen--;
        else if (event.key === "Enter" && found.children[chosen]) { location.href = found.children[chosen].href; box.value = ""; }
        else if (event.key === "Escape") box.value = "";
        else return;
        event.preventDefault();
        show();
    });
    found.addEventListener("click", function () { box.value = ""; setTimeout(show, 0); });
    document.addEventListener("keydown", function (event) {
        if (event.key !== "/" || event.target === box) return;
        event.preventDefault();
        box.focus();
    });
    if (location.search.indexOf("?q=") === 0) { box.value = decodeURIComponent(location.search.slice(3)); show(); }
})();
