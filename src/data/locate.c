/* Finds the files of a data set: in the folder that was named, or else in the cache, which is filled from mirrors. */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_MIRRORS = 16 };

/* ABSENT: nothing is there. HALF: a part of the data set without the rest. BROKEN: there, and cannot be read. */
typedef enum found { ABSENT, FOUND, HALF, BROKEN } found;

/* ---- looking ---- */

/* The first trouble is the one to tell. */
static found broken(sp__note *trouble, const char *path, const char *words)
{
    if (!trouble->length) sp__note_add(trouble, "%s: %s", path, words);
    return BROKEN;
}

/* A path is absent only where nothing is, or can be. A link whose target is gone, a disk that fails and a missing
 * permission hide a file that should be there. */
static found look_at(const char *path, mode_t kind, sp__note *trouble)
{
    struct stat about;
    const bool there = !lstat(path, &about), link = there && S_ISLNK(about.st_mode);
    if (!there && (errno == ENOENT || errno == ENOTDIR)) return ABSENT;
    if (!there || stat(path, &about))
        return broken(trouble, path, link && errno == ENOENT ? "is a broken link" : strerror(errno));
    if ((about.st_mode & S_IFMT) != kind)
        return broken(trouble, path, kind == S_IFDIR ? "is not a folder" : "is not a regular file");
    return access(path, kind == S_IFDIR ? X_OK : R_OK) ? broken(trouble, path, strerror(errno)) : FOUND;
}

/* Finds FOLDER/train-images-idx3-ubyte, with .gz or without, also as some archives name it: train-images.idx3-ubyte. */
static found find_file(const char *folder, const char *name, char path[SP__PATH_SIZE], sp__note *trouble)
{
    const size_t plain = strlen(name) - strlen(".gz");
    found worst = ABSENT;
    for (int form = 0; form < 4; form++) {
        int n = snprintf(path, SP__PATH_SIZE, "%s/%.*s", folder, (int)(form % 2 ? plain : plain + 3), name);
        char *dash = strstr(path + strlen(folder), "-idx");
        if (n >= SP__PATH_SIZE) return broken(trouble, folder, strerror(ENAMETOOLONG));
        if (form >= 2 && dash) *dash = '.';
        const found result = look_at(path, S_IFREG, trouble);
        if (result == FOUND) return FOUND;
        if (result != ABSENT) worst = result;
    }
    return worst;
}

/* Whether a folder has any file of either half, also one that cannot be read. */
static bool find_any(const sp__collection *family, const char *folder, char path[SP__PATH_SIZE])
{
    sp__note unused = {0};
    for (int i = 0; i < 2 * SP__FILES; i++)
        if (find_file(folder, family->halves[i / 2].files[i % 2].name, path, &unused) != ABSENT) return true;
    return false;
}

static found find_in(sp__search *s, const char *folder)
{
    const sp__half *half = &s->family->halves[s->test];
    const char *missing = NULL;
    char other[SP__PATH_SIZE];
    found result = FOUND;
    sp__note_add(&s->places, "%s%s", s->places.length ? ", " : "", folder);
    if (look_at(folder, S_IFDIR, &s->trouble) == BROKEN) return BROKEN;
    for (int i = 0; i < SP__FILES; i++) {
        const found file = find_file(folder, half->files[i].name, s->paths[i], &s->trouble);
        if (file == BROKEN) result = BROKEN;
        if (file == ABSENT && !missing) missing = half->files[i].name;
    }
    if (!missing || result == BROKEN) return result;
    if (!find_any(s->family, folder, other)) return ABSENT;
    if (!s->trouble.length) sp__note_add(&s->trouble, "%s has no %s beside it, packed or not", other, missing);
    return HALF;
}

/* The first of the family's places that has the whole half. Trouble in another place does not matter then. */
static found look_below(sp__search *s, const char *root)
{
    size_t end = strlen(root);
    found worst = ABSENT;
    while (end > 1 && root[end - 1] == '/') end--;
    for (int i = 0; i < 4 && s->family->places[i]; i++) {
        char folder[SP__PATH_SIZE];
        const char *place = s->family->places[i];
        int n = snprintf(folder, sizeof folder, "%.*s%s%s", (int)end, root, *place ? "/" : "", place);
        const found result = n < SP__PATH_SIZE ? find_in(s, folder) : broken(&s->trouble, root, strerror(ENAMETOOLONG));
        if (result == FOUND) return FOUND;
        if (result != ABSENT) worst = result;
    }
    return worst;
}

/* Looks in the folder that was named and nowhere else: another data set in its place would be a surprise. */
static sp_status look_in_named(sp__search *s, const char *root, const char *who)
{
    const found result = look_below(s, root);
    if (result == FOUND) return SP_OK;
    if (result == ABSENT)
        return sp_raise(SP_ERROR_NOT_FOUND, "%s is not in %s; %s, so no other place is tried", s->family->title,
                        s->places.text, who);
    return sp_raise(result == HALF ? SP_ERROR_NOT_FOUND : SP_ERROR_IO, "%s cannot be read: %s", s->family->title,
                    s->trouble.text);
}

/* ---- the cache ---- */

/* $XDG_CACHE_HOME/spusk/mnist, or that in ~/.cache. */
static bool cache_folder(const sp__collection *family, char folder[SP__PATH_SIZE])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = SP__PATH_SIZE;
    if (cache && *cache == '/')
        n = snprintf(folder, SP__PATH_SIZE, "%s/spusk/%s", cache, family->cache);
    else if (home && *home)
        n = snprintf(folder, SP__PATH_SIZE, "%s/.cache/spusk/%s", home, family->cache);
    return n < SP__PATH_SIZE;
}

/* The mirrors in use: those of SPUSK_MIRRORS, separated by spaces or commas, else the table's. */
static void list_mirrors(const sp__collection *family, char *wish, size_t size, const char *mirrors[MOST_MIRRORS + 1])
{
    const char *named = getenv("SPUSK_MIRRORS");
    int n = 0;
    if (!named || !*named) {
        for (; n < 4 && family->mirrors[n]; n++) mirrors[n] = family->mirrors[n];
    } else {
        char *rest = NULL;
        snprintf(wish, size, "%s", named);
        for (char *m = strtok_r(wish, " ,\t\n", &rest); m && n < MOST_MIRRORS; m = strtok_r(NULL, " ,\t\n", &rest))
            mirrors[n++] = m;
    }
    mirrors[n] = NULL;
}

/* Makes sure that both files are in the cache, and fetches what is missing. Once a part has arrived, the data set is no
 * longer absent. */
static sp_status fetch(sp__search *s, const char *cache, bool begun, bool quiet)
{
    char wish[SP__PATH_SIZE];
    const char *mirrors[MOST_MIRRORS + 1];
    list_mirrors(s->family, wish, sizeof wish, mirrors);
    sp__note reasons = {0};
    for (int i = 0; i < SP__FILES; i++) {
        const sp__remote *file = &s->family->halves[s->test].files[i];
        if (find_file(cache, file->name, s->paths[i], &s->trouble) == FOUND) continue;
        if (!sp__download(file, mirrors, cache, quiet, &reasons)) {
            return sp_raise(begun ? SP_ERROR_IO : SP_ERROR_NOT_FOUND,
                            "%s is not %sin %s, and %s could not be downloaded%s", s->family->title,
                            begun ? "whole " : "", s->places.text, file->name,
                            reasons.length ? reasons.text : ": no mirror is named");
        }
        begun = true;
        if (find_file(cache, file->name, s->paths[i], &s->trouble) != FOUND)
            return sp_raise(SP_ERROR_IO, "%s was downloaded to %s, but is not there", file->name, cache);
    }
    return SP_OK;
}

static sp_status look_in_cache(sp__search *s, bool download, bool quiet)
{
    char cache[SP__PATH_SIZE];
    if (!cache_folder(s->family, cache))
        return sp_raise(SP_ERROR_NOT_FOUND, "%s is in no folder that is named, and there is no cache: HOME is not set",
                        s->family->title);
    const found result = find_in(s, cache);
    if (result == FOUND) return SP_OK;
    if (result == BROKEN || (result == HALF && !download))
        return sp_raise(SP_ERROR_IO, "%s cannot be read: %s", s->family->title, s->trouble.text);
    if (download) return fetch(s, cache, result == HALF, quiet);
    return sp_raise(SP_ERROR_NOT_FOUND, "%s is not in %s (and was not to be downloaded)", s->family->title,
                    s->places.text);
}

sp_status sp__locate(sp__search *s, const char *root, bool download, bool quiet)
{
    const char *variable = getenv("SPUSK_DATA");
    if (root && *root) return look_in_named(s, root, "that folder was named");
    if (variable && *variable) return look_in_named(s, variable, "SPUSK_DATA names that folder");
    return look_in_cache(s, download, quiet);
}
