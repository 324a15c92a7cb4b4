"""Short articles of our own on a few subjects: those on one subject are related, none is a copy."""

from tests.related.newsroom import Piece

ALLIANCE = (
    Piece(
        title="North Korea and Russia mark a year of their treaty",
        text=(
            "Pyongyang and Moscow celebrated the first anniversary of the treaty that made them allies. "
            "Russian officials praised the North Korean troops who fought in the Kursk region. "
            "The alliance worries Seoul, and diplomats in Tokyo ask what Moscow gives in return for soldiers."
        ),
    ),
    Piece(
        title="More North Korean troops leave for Kursk",
        text=(
            "Another six thousand soldiers and deminers from Pyongyang are going to the Kursk region, Seoul says. "
            "The treaty between Russia and North Korea obliges both to help with troops in a war. "
            "Western intelligence counted many casualties among the first units of the alliance."
        ),
    ),
    Piece(
        title="Seoul softens its tone on the Russian alliance",
        text=(
            "The Foreign Ministry in Seoul called on Russia to use its treaty with North Korea for peace. "
            "Earlier governments had condemned every visit of Moscow's envoys to Pyongyang. "
            "Whether a softer tone brings the troops home from Kursk is another matter, diplomats warn."
        ),
    ),
    Piece(
        title="What Moscow pays for soldiers",
        text=(
            "In return for troops, Russia sends North Korea oil, grain and technology, intelligence officials say. "
            "Trains cross the border from Moscow's depots to Pyongyang every week since the treaty was signed. "
            "The alliance breaks the sanctions that Russia itself once voted for, as Seoul points out."
        ),
    ),
)
KIMCHI = (
    Piece(
        title="How to salt cabbage for kimchi",
        text=(
            "Good kimchi begins with napa cabbage, coarse sea salt and patience. "
            "Salt the leaves from the root up, turn the cabbage twice, and rinse it in cold water. "
            "Garlic, ginger and chilli flakes come last, before the jar goes to ferment."
        ),
    ),
    Piece(
        title="The price of cabbage ruins the kimchi season",
        text=(
            "A wet summer doubled the price of napa cabbage just before families ferment kimchi for winter. "
            "Markets in Seoul sell garlic and chilli flakes at last year's price, but heads of cabbage are rare. "
            "Many households will salt radish this year."
        ),
    ),
)
BASEBALL = (
    Piece(
        title="The Bears win the opening game",
        text=(
            "A home run in the ninth inning gave the Bears the opening game of the baseball season. "
            "The pitcher struck out eleven batters before the manager sent the closer to the mound. "
            "Fans filled the stadium in Jamsil for the first time since spring."
        ),
    ),
)
ALLIANCE_KO = (
    Piece(
        language="ko",
        title="북한과 러시아, 조약 체결 1주년 맞아",
        text=(
            "북한과 러시아가 포괄적 전략적 동반자 조약 체결 1주년을 맞았다. "
            "러시아는 쿠르스크에 파병된 북한군을 높이 평가했다. 한국 정부는 깊은 우려를 나타냈다."
        ),
    ),
    Piece(
        language="ko",
        title="북한군 쿠르스크에 추가 파병",
        text=(
            "북한이 공병과 지뢰 제거 병력을 러시아 쿠르스크에 추가로 보낸다고 정보 당국이 밝혔다. "
            "조약에 따라 러시아는 북한에 군사 기술을 제공하고 있다. 파병된 북한군의 피해도 크다."
        ),
    ),
)
KIMCHI_KO = (
    Piece(
        language="ko",
        title="김장철 배추 값 두 배로 올라",
        text=(
            "비가 많이 온 여름 탓에 김장철을 앞두고 배추 가격이 두 배로 뛰었다. "
            "시장에서는 고춧가루와 마늘만 값이 그대로다."
        ),
    ),
)
EVERYTHING = (*ALLIANCE, *KIMCHI, *BASEBALL, *ALLIANCE_KO, *KIMCHI_KO)
