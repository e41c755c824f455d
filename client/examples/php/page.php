<?php
// A news page that shows its own number of views and those of the other news, and reports that it was viewed. To use it
// in your pages, copy the lines marked (1) to (3) and the file viewcount.php.
//
//   VIEWCOUNT_ADDRESS=127.0.0.1:8081 VIEWCOUNT_SITE=demo php -S 127.0.0.1:8000 client/examples/php/page.php
declare(strict_types=1);

require __DIR__ . '/viewcount.php';

$news = [
    '/news/3933' => 'The bridge over the canal is open again',
    '/news/3932' => 'Library hours change in December',
    '/news/3931' => 'Who won the chess tournament?',
];
// The article's ID. The path is a good ID because it has no tracking parameters.
$article = parse_url($_SERVER['REQUEST_URI'] ?? array_key_first($news), PHP_URL_PATH);
if (!isset($news[$article])) {
    http_response_code(404);
    exit("There is no such page.\n");
}

// (1) Create one object for each page.
$viewcount = new Viewcount(getenv('VIEWCOUNT_ADDRESS') ?: '127.0.0.1:8081', getenv('VIEWCOUNT_SITE') ?: 'demo');
// (2) Report the view before asking for counts, so that the count includes it. Only a page that a person is about to
// see is a view. HEAD requests and pages that a browser prefetches are not views.
$method = $_SERVER['REQUEST_METHOD'] ?? 'GET';
$ahead = str_contains($_SERVER['HTTP_SEC_PURPOSE'] ?? '', 'prefetch');
if ($method === 'GET' && !$ahead) {
    $viewcount->record($article);
}
// (3) Ask once for all articles of the page. An article that is missing from the answer is shown without a number.
$counts = $viewcount->counts(array_keys($news));
$number = fn (string $id, string $format) => isset($counts[$id]) ? sprintf($format, number_format($counts[$id])) : '';
$text = fn (string $plain) => htmlspecialchars($plain, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');

header('Content-Type: text/html; charset=utf-8');
// The page must not be cached, because the next visitor must see another number.
header('Cache-Control: no-store');
?>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title><?= $text($news[$article]) ?></title></head>
<body>
<main>
<h1><?= $text($news[$article]) ?></h1>
<?= $number($article, "<p>Number of views: %s</p>\n") ?>
</main>
<nav aria-label="Other news">
<ul>
<?php foreach (array_diff_key($news, [$article => '']) as $id => $title): ?>
<li><a href="<?= $text($id) ?>"><?= $text($title) ?></a><?= $number($id, ' (%s)') ?></li>
<?php endforeach ?>
</ul>
</nav>
</body>
</html>
